import CarpelAPI
import CarpelCore
import CarpelPlugins

extension Runtime {
    public nonisolated func listPlugins(_ request: ListPluginsRequest) async -> ListPluginsResponse {
        let plugins = await environment.plugins.list()
        return ListPluginsResponse { $0.plugins = plugins.map(PluginInfo.init) }
    }

    public nonisolated func pluginStatus(_ request: PluginStatusRequest) async throws -> PluginStatusResponse {
        guard !request.name.isEmpty else { throw CarpelError.missing("name") }
        let plugins = await environment.plugins.list()
        guard let plugin = plugins.first(where: { $0.name == request.name }) else {
            throw CarpelError(
                .notFound, "pluginNotFound",
                "there is no plugin \"\(request.name)\" in \(environment.configuration.plugins.folders.joined(separator: ", "))",
                field: "name")
        }
        return try PluginStatusResponse {
            $0.plugin = PluginInfo(plugin)
            $0.info["configuration"] = try jsonText(plugin.configuration ?? .object([:]))
            if let manifest = plugin.manifest { $0.info["manifest"] = manifest }
            if !plugin.limitsMissing.isEmpty { $0.info["limitsMissing"] = try jsonText(plugin.limitsMissing) }
        }
    }

    public nonisolated func reloadPlugin(_ request: ReloadPluginRequest) async throws -> ReloadPluginResponse {
        guard !request.name.isEmpty else { throw CarpelError.missing("name") }
        let plugin = try await detachedFromCaller { try await self.environment.plugins.reload(request.name) }
        return ReloadPluginResponse { $0.plugin = PluginInfo(plugin) }
    }
}

extension PluginStatus {
    /// Whether calls can reach it, now or once its host is up again.
    var isServed: Bool {
        switch state {
        case .ready, .starting, .backingOff: true
        case .discovered, .failed, .draining: false
        }
    }
}

extension PluginInfo {
    init(_ plugin: PluginStatus) {
        self.init()
        name = plugin.name
        kind =
            switch plugin.kind {
            case .network: .NETWORK
            case .storage: .STORAGE
            case nil: .UNKNOWN
            }
        version = plugin.version ?? ""
        description = plugin.description ?? ""
        path = plugin.path
        setState(plugin.state)
        processId = plugin.processID ?? 0
        capabilities = plugin.capabilities
        seccompProfile = plugin.seccomp ?? ""
        restarts = UInt32(clamping: plugin.restarts)
        drainingVersions = plugin.oldGenerations.map(\.version)
        calls = plugin.calls
        residentBytes = plugin.residentMemory?.bytes ?? 0
        startNanoseconds = plugin.startDuration.map { Int64($0 / .nanoseconds(1)) } ?? 0
    }

    private mutating func setState(_ current: PluginStatus.State) {
        switch current {
        case .discovered, .starting: state = .STARTING
        case .ready: state = .READY
        case .backingOff(_, let cause):
            state = .BACKING_OFF
            (reason, message) = (cause.reason, cause.message)
        case .failed(let cause):
            state = .FAILED
            (reason, message) = (cause.reason, cause.message)
        case .draining:
            state = .FAILED
            (reason, message) = ("daemonClosing", "the daemon is being stopped")
        }
    }
}
