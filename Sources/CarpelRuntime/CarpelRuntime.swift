// CarpelRuntime
