import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

extension CarpelClient {
    /// The container's configuration, as it was asked for.
    func containerConfig(_ id: String) async throws -> ContainerConfig {
        let request = ContainerStatusRequest {
            $0.containerId = id
            $0.verbose = true
        }
        let info = try await call(Methods.containerStatus, request).info
        return try JSONDecoder().decode(ContainerConfig.self, from: Data((info["config"] ?? "{}").utf8))
    }

    func attach(to id: String, stdin: Bool, tty: Bool, detachKeys: DetachKeys) async throws -> StreamSession {
        let request = AttachRequest {
            $0.containerId = id
            $0.stdin = stdin
            $0.tty = tty
            $0.stdout = true
            $0.stderr = !tty
        }
        let stream = try await openStream(url: try await call(Methods.attach, request).url)
        return StreamSession(stream: stream, stdin: stdin, tty: tty, detachKeys: detachKeys)
    }
}
