import CarpelCore
import Logging

/// The plugins of a node: found, started, supervised and called.
public actor Plugins {
    private let hosting: PluginHosting
    private let logger: Logger
    private var entries: [Entry] = []

    /// A folder that was found: a plugin that is served, or why it is not.
    private enum Entry {
        case served(PluginSupervisor)
        case refused(PluginStatus)
    }

    public init(_ hosting: PluginHosting, logger: Logger) {
        self.hosting = hosting
        self.logger = logger
    }

    /// Finds the plugins and starts them all, and returns when each is ready or has failed. Failures are data: ``list()``
    /// shows them.
    public func start() async {
        HostControlGroup.removeAbandoned()
        discover()
        await withDiscardingTaskGroup { group in
            for supervisor in supervisors { group.addTask { await supervisor.start() } }
        }
    }

    /// In the order of their discovery.
    public func list() async -> [PluginStatus] {
        var list: [PluginStatus] = []
        for entry in entries {
            switch entry {
            case .served(let supervisor): list.append(await supervisor.status())
            case .refused(let status): list.append(status)
            }
        }
        return list
    }

    /// - Throws: `.notFound`/`pluginNotFound`; `.failedPrecondition`/`pluginKindWrong`; `.unavailable`/`pluginFailed`.
    public func network(_ name: String) throws -> NetworkCalls {
        NetworkCalls(plugin: try supervisor(of: name, kind: .network))
    }

    /// - Throws: `.notFound`/`pluginNotFound`; `.failedPrecondition`/`pluginKindWrong`; `.unavailable`/`pluginFailed`.
    public func storage(_ name: String) throws -> StorageCalls {
        StorageCalls(plugin: try supervisor(of: name, kind: .storage))
    }

    /// Starts the plugin's manifest and library as they are on disk now; the version before serves on for its pods.
    ///
    /// A plugin that has failed is started anew, and one that is new is looked for in the folders.
    /// - Throws: why the new version cannot serve; the one before then goes on with everything.
    public func reload(_ name: String) async throws -> PluginStatus {
        guard let supervisor = supervisors.first(where: { $0.name == name }) else { return try await add(name) }
        try await supervisor.reload()
        return await supervisor.status()
    }

    /// Ends all hosts, after their calls in flight, at most the limits' grace. Pods run on.
    public func close() async {
        await withDiscardingTaskGroup { group in
            for supervisor in supervisors { group.addTask { await supervisor.close() } }
        }
    }

    private var supervisors: [PluginSupervisor] {
        entries.compactMap { if case .served(let supervisor) = $0 { supervisor } else { nil } }
    }

    /// Looks into the folders. Plugins that are served stay as they are.
    private func discover() {
        var served = Dictionary(supervisors.map { ($0.folder, $0) }, uniquingKeysWith: { first, _ in first })
        var names = Dictionary(supervisors.map { ($0.name, $0.folder) }, uniquingKeysWith: { first, _ in first })
        entries = DiscoveredPlugin.all(in: hosting.folders).map { found in
            if let supervisor = served.removeValue(forKey: found.folder) { return .served(supervisor) }
            switch found.manifest {
            case .failure(let error): return refuse(found, error)
            case .success(let manifest):
                if let first = names[manifest.name] { return refuse(found, duplicate(manifest.name, first)) }
                names[manifest.name] = found.folder
                return .served(
                    PluginSupervisor(manifest: manifest, folder: found.folder, hosting: hosting, logger: logger))
            }
        }
        hosting.changed()
        // Their folders are gone; they serve on.
        entries += served.values.sorted { $0.name < $1.name }.map { .served($0) }
    }

    private func duplicate(_ name: String, _ folder: String) -> CarpelError {
        CarpelError(
            .alreadyExists, "pluginDuplicate",
            "the plugin \(name) of \(folder), which comes first, serves; remove one of the two folders")
    }

    private func refuse(_ found: DiscoveredPlugin, _ error: CarpelError) -> Entry {
        logger.error("a plugin cannot be used", metadata: ["folder": "\(found.folder)", "cause": "\(error.message)"])
        var status = PluginStatus(name: found.name, path: found.folder, state: .failed(cause: error))
        if let manifest = try? found.manifest.get() {
            status.kind = manifest.kind
            status.version = manifest.version
            status.description = manifest.description
            status.capabilities = manifest.capabilities
            status.seccomp = manifest.seccomp
            status.manifest = manifest.text
        }
        return .refused(status)
    }

    /// Looks once more for a plugin that is not served.
    private func add(_ name: String) async throws -> PluginStatus {
        discover()
        // Whatever else is new has waited long enough.
        for supervisor in supervisors { Task { await supervisor.start() } }
        guard let supervisor = supervisors.first(where: { $0.name == name }) else { throw missing(name) }
        await supervisor.start()
        let status = await supervisor.status()
        if case .failed(let cause) = status.state { throw cause.during("start the plugin \(name)") }
        return status
    }

    private func supervisor(of name: String, kind: PluginKind) throws -> PluginSupervisor {
        guard let supervisor = supervisors.first(where: { $0.name == name }) else { throw missing(name) }
        guard supervisor.kind == kind else {
            throw CarpelError(
                .failedPrecondition, "pluginKindWrong",
                "the plugin \(name) is for \(supervisor.kind); name one for \(kind)")
        }
        return supervisor
    }

    private func missing(_ name: String) -> CarpelError {
        for case .refused(let status) in entries where status.name == name {
            guard case .failed(let cause) = status.state else { continue }
            return CarpelError(.unavailable, "pluginFailed", "the plugin \(name) cannot be used: \(cause.message)")
        }
        return CarpelError(
            .notFound, "pluginNotFound",
            "there is no plugin \(name) in \(hosting.folders.joined(separator: ", ")); "
                + "`carpel plugin list` shows those that are there")
    }
}
