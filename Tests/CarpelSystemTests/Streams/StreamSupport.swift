import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport

/// A container with a shell's tools that sleeps.
func withSleeper(
    _ body: (Node, CarpelClient, _ pod: String, _ container: String) async throws -> Void
) async throws {
    try await withPlainNode { node, client in
        let pod = try await client.runPod()
        let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "100000"]))
        try await body(node, client, pod, id)
    }
}

extension CarpelClient {
    func openExec(
        _ container: String, _ command: String..., stdin: Bool = false, stdout: Bool = true, stderr: Bool = false,
        tty: Bool = false
    ) async throws -> ByteStream {
        let request = ExecRequest {
            $0.containerId = container
            $0.cmd = command
            $0.stdin = stdin
            $0.stdout = stdout
            $0.stderr = stderr
            $0.tty = tty
        }
        return try await openStream(url: try await call(Methods.exec, request).url)
    }

    func openAttach(
        _ container: String, stdin: Bool = false, stderr: Bool = false, tty: Bool = false
    ) async throws -> ByteStream {
        let request = AttachRequest {
            $0.containerId = container
            $0.stdin = stdin
            $0.stdout = true
            $0.stderr = stderr
            $0.tty = tty
        }
        return try await openStream(url: try await call(Methods.attach, request).url)
    }

    func openPort(_ port: Int32, of pod: String) async throws -> ByteStream {
        let request = PortForwardRequest {
            $0.podSandboxId = pod
            $0.port = [port]
        }
        return try await openStream(url: try await call(Methods.portForward, request).url)
    }

    func openPortOnceItListens(_ port: Int32, of pod: String) async throws -> ByteStream {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await openPort(port, of: pod)
            } catch let error as CarpelError where error.reason == "connectionRefused" {
                guard ContinuousClock.now < deadline else { throw error }
            }
        }
    }
}

extension ByteStream {
    func collect() async throws -> (stdout: [UInt8], stderr: [UInt8]) {
        var output: (stdout: [UInt8], stderr: [UInt8]) = ([], [])
        while let frame = try await read() {
            switch frame.channel {
            case .stdout: output.stdout += frame.payload
            case .stderr: output.stderr += frame.payload
            default: break
            }
        }
        return output
    }

    /// What a port sends until it has sent all; then says that nothing more goes to it.
    func collectData() async throws -> [UInt8] {
        var data: [UInt8] = []
        while let frame = try await read() {
            if frame.channel == .data { data += frame.payload }
            // Where that has been said before, the stream may have ended meanwhile.
            if frame.channel == .close { try? await closeInput() }
        }
        return data
    }

    /// What the process writes until it has written this.
    func read(until end: String) async throws -> String {
        var bytes: [UInt8] = []
        while !String(decoding: bytes, as: UTF8.self).contains(end), let frame = try await read() {
            bytes += frame.payload
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
