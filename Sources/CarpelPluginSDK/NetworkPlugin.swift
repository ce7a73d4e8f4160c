/// What a network plugin does: CNI's verbs.
///
/// Every verb may be called again after a crash, of the plugin or of the daemon, and several may run at once, each on a
/// thread of its own that it may block. When the caller goes or its time is up the task of the call is cancelled, and
/// has five seconds to end. What must survive belongs into ``PluginEnvironment/stateFolder``. While a new version takes
/// the place of an old one, both run in processes of their own, with the same folder.
public protocol NetworkPlugin: Sendable {
    /// - Throws: ``PluginError`` if the plugin cannot work with its configuration.
    init(environment: PluginEnvironment) async throws

    /// ADD: puts a pod on a network. Nothing is left if it throws.
    func add(_ request: NetworkAddRequest) async throws -> NetworkAttachment
    /// DEL: takes a pod off a network. A pod that is not on it is fine.
    func delete(_ request: NetworkDeleteRequest) async throws
    /// CHECK: throws if what ADD answered no longer holds.
    func check(_ request: NetworkCheckRequest) async throws
    /// GC: takes off everything that is not listed.
    func collectGarbage(_ request: NetworkCollectRequest) async throws -> NetworkCollectResponse
    /// STATUS: throws if an ADD would fail now, whatever it asked for.
    func status() async throws
}
