// CarpelGuestProtocol
