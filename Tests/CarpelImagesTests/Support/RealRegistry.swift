import CarpelCore
import Foundation
import Glibc
import Testing

/// Debian's `docker-registry` with its storage in a directory that is gone after the test.
final class RealRegistry: Sendable {
    let name: String
    private let scratch: Scratch
    private let process: pid_t

    static let username = "user"
    static let password = "secret"
    /// bcrypt of ``password``, as htpasswd writes it.
    private static let passwordFile = "user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"

    /// - Parameters:
    ///   - protected: asks for ``username`` and ``password``.
    ///   - certificate: paths of a certificate and its key, for HTTPS.
    init(protected: Bool = false, certificate: (String, String)? = nil) async throws {
        scratch = try Scratch()
        let port = try Self.freePort()
        name = "127.0.0.1:\(port)"
        var yaml = """
            version: 0.1
            log: {level: info}
            storage: {filesystem: {rootdirectory: \(scratch.path)/data}}
            http:
              addr: 127.0.0.1:\(port)

            """
        if let certificate { yaml += "  tls: {certificate: \(certificate.0), key: \(certificate.1)}\n" }
        if protected {
            let file = try scratch.write("htpasswd", Self.passwordFile.utf8)
            yaml += "auth: {htpasswd: {realm: test, path: \(file)}}\n"
        }
        let server = Process()
        server.executableURL = URL(filePath: "/usr/bin/docker-registry")
        server.arguments = ["serve", try scratch.write("config.yml", yaml.utf8)]
        let output = Pipe()
        server.standardError = output
        server.standardOutput = output
        try server.run()
        process = server.processIdentifier
        try await Self.waitForLine("listening on", output.fileHandleForReading)
    }

    deinit { kill(process, SIGKILL) }

    /// Pushes the layout's only image under `reference`, a repository and tag of this registry.
    func push(_ image: TestImage, as reference: String) async throws {
        let layout = try Scratch()
        try image.writeLayout("\(layout.path)/oci", name: "latest")
        try await run(
            "/usr/bin/skopeo",
            [
                "copy", "--all", "--quiet", "--dest-tls-verify=false",
                "--dest-creds=\(Self.username):\(Self.password)", "oci:\(layout.path)/oci:latest",
                "docker://\(name)/\(reference)",
            ])
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && getsockname(descriptor, address, &size) == 0
            }
        }
        try #require(result)
        return UInt16(bigEndian: address.sin_port)
    }

    /// Waits until the server says so; its end or 20 seconds end the wait. Its output is read as long as it lives.
    private static func waitForLine(_ text: String, _ output: FileHandle) async throws {
        let (answers, answer) = AsyncStream<Bool>.makeStream()
        Thread.detachNewThread {
            var seen = ""
            while case let data = output.availableData, !data.isEmpty {
                seen += String(decoding: data, as: UTF8.self)
                if seen.contains(text) { answer.yield(true) }
            }
            answer.finish()
        }
        let found = try await withDeadline(.seconds(20), reason: "late", "the registry's start") {
            await answers.first { $0 } ?? false
        }
        try #require(found, "the registry did not start")
    }
}
