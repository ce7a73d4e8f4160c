// CarpelCLI
