// CarpelClient
