// CarpelServer
