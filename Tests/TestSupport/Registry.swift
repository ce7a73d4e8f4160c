import Foundation

/// Debian's docker-registry on a loopback port of its own.
public final class Registry: Sendable {
    public let address: String
    private let process: ChildProcess
    private let folder: TemporaryFolder

    public init() async throws {
        folder = try TemporaryFolder()
        let port = try freePort()
        address = "127.0.0.1:\(port)"
        let configuration = try folder.file(
            "config.yml",
            """
            version: 0.1
            log: { level: error }
            storage: { filesystem: { rootdirectory: \(folder.path)/data }, delete: { enabled: true } }
            http: { addr: "\(address)" }
            """)
        process = try ChildProcess(
            "/usr/bin/docker-registry", ["serve", configuration], log: "\(folder.path)/registry.log")
        try await eventually("the registry listens") { [address] in
            (try? await shell("curl --silent --fail --max-time 2 http://$1/v2/", address)) != nil
        }
    }

    public func remove() {
        process.killIfRunning()
        folder.remove()
    }

    /// Pushes an OCI layout's image.
    public func push(_ image: BusyboxImage, as name: String) async throws -> String {
        try await shell(
            "skopeo copy --quiet --dest-tls-verify=false \"oci:$1:$2\" \"docker://$3/$4\"", image.layout, image.tag,
            address,
            name)
        return "\(address)/\(name)"
    }
}

/// A TCP port of the loopback that was free a moment ago.
public func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard bound else { throw SupportError("no free port") }
    return UInt16(bigEndian: address.sin_port)
}
