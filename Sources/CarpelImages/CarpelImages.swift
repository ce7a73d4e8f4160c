// CarpelImages
