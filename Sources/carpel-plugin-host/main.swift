import CarpelPluginHost

runPluginHost()
