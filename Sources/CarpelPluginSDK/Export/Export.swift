import CCarpelPlugin
import Synchronization

/// Makes a network plugin out of a type. This is the whole of it, once in the library:
///
/// ```swift
/// @_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(network: MyPlugin.self) }
/// ```
public func export<Plugin: NetworkPlugin>(network plugin: Plugin.Type) -> UnsafeRawPointer {
    export { NetworkService(plugin: try await Plugin(environment: $0)) }
}

/// Makes a storage plugin out of a type. This is the whole of it, once in the library:
///
/// ```swift
/// @_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(storage: MyPlugin.self) }
/// ```
public func export<Plugin: StoragePlugin>(storage plugin: Plugin.Type) -> UnsafeRawPointer {
    export { StorageService(plugin: try await Plugin(environment: $0)) }
}

typealias ServiceFactory = @Sendable (PluginEnvironment) async throws -> any PluginService

/// What `create` makes. The table's functions are C's and capture nothing; a process holds one plugin.
let exportedFactory = Mutex<ServiceFactory?>(nil)

private func export(_ factory: @escaping ServiceFactory) -> UnsafeRawPointer {
    exportedFactory.withLock { $0 = factory }
    return UnsafeRawPointer(table.pointer)
}

private let table = Table()

/// The memory is written once, before anyone sees it, and never freed: the pointer may go anywhere.
private struct Table: @unchecked Sendable {
    let pointer: UnsafePointer<carpel_plugin>

    init() {
        let memory = UnsafeMutablePointer<carpel_plugin>.allocate(capacity: 1)
        memory.initialize(
            to: carpel_plugin(
                abi_version: UInt32(CARPEL_PLUGIN_ABI_VERSION), struct_size: MemoryLayout<carpel_plugin>.size,
                create: createPlugin, call: callPlugin, free_buffer: freeAnswer, destroy: destroyPlugin))
        pointer = UnsafePointer(memory)
    }
}
