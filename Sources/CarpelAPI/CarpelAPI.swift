// CarpelAPI
