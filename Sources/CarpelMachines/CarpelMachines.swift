// CarpelMachines
