// CarpelAgent
