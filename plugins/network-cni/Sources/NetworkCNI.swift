import CarpelPluginSDK

/// The library's one symbol.
@_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(network: CNIPlugin.self) }
