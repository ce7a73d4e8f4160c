import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

/// What a maintainer asks for, as files in a folder: each without secrets, and without what could not be had.
struct DebugBundle {
    /// The end of a log that is kept.
    private static let logLength = 256 << 10
    private static let timeout = Duration.seconds(60)

    let folder: URL
    private var problems: [String] = []

    init(folder: URL) { self.folder = folder }

    /// Writes all that the daemon and the node tell.
    ///
    /// - Parameter connect: what fails, too, is told in the bundle.
    mutating func collect(_ connect: () async throws -> CarpelClient) async throws {
        try write(Self.readme, to: "README.txt")
        do {
            let client = try await connect()
            try await collect(from: client)
        } catch {
            problems.append("the daemon: \(error)")
            await collectWithoutDaemon()
        }
        await collectFromNode()
        if !problems.isEmpty { try write(problems.joined(separator: "\n") + "\n", to: "missing.txt") }
    }

    private static let readme = """
        What `carpel debug bundle` found on this node: versions, what the daemon says of itself and checks, pods,
        containers, images, networks, volumes and plugins as the socket tells them, each pod's time line and boot log,
        the daemon's own log where the journal has it, and facts about the machine. missing.txt, if it is there, says
        what could not be had.

        The values of what is named like a secret (password, token, key, ...) are replaced by \(Redaction.removed), and so
        are users in URLs. Containers' logs are not in it. Look through it before you give it away.

        """

    // MARK: The daemon

    private mutating func collect(from client: CarpelClient) async throws {
        try write(
            JSONValue(encoding: ["client": CarpelVersion.runtime, "schema": CarpelVersion.api]), to: "client.json")
        await collect(Methods.version, VersionRequest(), as: "version.json", from: client)
        await collect(Methods.status, StatusRequest { $0.verbose = true }, as: "status.json", from: client)
        await collect(Methods.doctor, DoctorRequest(), as: "doctor.json", from: client)
        await collect(Methods.listImages, ListImagesRequest(), as: "images.json", from: client)
        await collect(Methods.imageFsInfo, ImageFsInfoRequest(), as: "image-fs.json", from: client)
        await collect(Methods.listNetworks, ListNetworksRequest(), as: "networks.json", from: client)
        await collect(Methods.listVolumes, ListVolumesRequest(), as: "volumes.json", from: client)
        let plugins = await collect(Methods.listPlugins, ListPluginsRequest(), as: "plugins.json", from: client)
        for plugin in plugins?.plugins ?? [] {
            await collect(
                Methods.pluginStatus, PluginStatusRequest { $0.name = plugin.name },
                as: "plugins/\(Self.fileName(plugin.name)).json", from: client)
        }
        let pods = await collect(Methods.listPodSandbox, ListPodSandboxRequest(), as: "pods.json", from: client)
        for pod in pods?.items ?? [] { await collect(pod, from: client) }
        let containers = await collect(
            Methods.listContainers, ListContainersRequest(), as: "containers.json", from: client)
        for container in containers?.containers ?? [] {
            let request = ContainerStatusRequest {
                $0.containerId = container.id
                $0.verbose = true
            }
            await collect(
                Methods.containerStatus, request,
                as: "pods/\(container.podSandboxId.prefix(13))/container-\(container.id.prefix(13)).json", from: client)
        }
    }

    private mutating func collect(_ pod: PodSandboxItem, from client: CarpelClient) async {
        let name = "pods/\(pod.id.prefix(13))"
        let request = PodSandboxStatusRequest {
            $0.podSandboxId = pod.id
            $0.verbose = true
        }
        guard let status = await collect(Methods.podSandboxStatus, request, as: "\(name)/status.json", from: client)
        else { return }
        let steps = try? JSONDecoder().decode([TimelineStep].self, from: Data((status.info["timeline"] ?? "").utf8))
        await attempt("\(name)/trace.txt") {
            TimelineChart(steps: steps ?? [], now: status.timestamp).text
        }
        guard case .object(let machine)? = status.info["machine"].flatMap({ try? JSONValue(text: $0) }),
            case .string(let bootLog)? = machine["bootLog"]
        else { return }
        await attempt("\(name)/boot.log") { try Self.end(of: bootLog) }
    }

    @discardableResult
    private mutating func collect<Request, Response>(
        _ method: Method<Request, Response>, _ request: Request, as file: String, from client: CarpelClient
    ) async -> Response? {
        do {
            let response = try await client.call(method, request, timeout: Self.timeout)
            try write(try JSONValue(encoding: response).withReadableInfo(), to: file)
            return response
        } catch {
            problems.append("\(file): \(error)")
            return nil
        }
    }

    private mutating func collectWithoutDaemon() async {
        await attempt("doctor.json") {
            try JSONValue(encoding: try DaemonCheck(root: nil, state: nil, config: nil).run()).prettyText
        }
    }

    // MARK: The node

    private mutating func collectFromNode() async {
        await attempt("daemon.log") {
            try Self.output("journalctl", "--unit", "carpeld", "--lines", "5000", "--no-pager")
        }
        await attempt("node/kernel.txt") { try Self.output("uname", "-a") }
        await attempt("node/processors.txt") { try Self.output("lscpu") }
        await attempt("node/memory.txt") { try Self.end(of: "/proc/meminfo") }
        await attempt("node/system.txt") { try Self.end(of: "/etc/os-release") }
        await attempt("node/file-systems.txt") { try Self.output("df", "-h") }
        await attempt("node/qemu.txt") { try Self.output("qemu-system-x86_64", "--version") }
        await attempt("node/processes.txt") { try Self.output("ps", "-eo", "pid,ppid,rss,etimes,comm") }
    }

    private mutating func attempt(_ file: String, _ content: () throws -> String) async {
        do { try write(try content(), to: file) } catch {
            problems.append("\(file): \((error as? CarpelError)?.message ?? "\(error)")")
        }
    }

    private static func output(_ command: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CarpelError(
                .unavailable, "commandFailed",
                "\(command.joined(separator: " ")) exited with \(process.terminationStatus)")
        }
        return text
    }

    private static func end(of path: String) throws -> String {
        if path.hasPrefix("/proc/") { return try KernelFile.read(path) }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let length = try file.seekToEnd()
        try file.seek(toOffset: length - min(length, UInt64(logLength)))
        return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    }

    // MARK: Files

    private func write(_ value: JSONValue, to file: String) throws {
        try write(plain: Redaction.redacted(value).prettyText + "\n", to: file)
    }

    private func write(_ text: String, to file: String) throws {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        try write(plain: lines.map { Redaction.redacted(String($0)) }.joined(separator: "\n"), to: file)
    }

    private func write(plain text: String, to file: String) throws {
        let url = folder.appending(path: file)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private static func fileName(_ name: String) -> String { name.replacing("/", with: "_") }
}
