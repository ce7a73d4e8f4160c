import CarpelAPI
import CarpelClient
import Foundation

/// The lines of log files, without time, stream and tag; parts are joined.
func logLines(_ paths: [String]) throws -> [String] {
    var lines: [String] = []
    var begun = ""
    for path in paths {
        for entry in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let parts = entry.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            begun += parts.count > 3 ? parts[3] : ""
            guard parts.count > 2, parts[2] == "F" else { continue }
            lines.append(begun)
            begun = ""
        }
    }
    return lines
}

/// What a container's status says about its log.
struct LogInfo: Decodable {
    let lostBytes: Int
    let lostRecords: Int
    let failure: String?
}

extension CarpelClient {
    func logInfo(_ container: String) async throws -> LogInfo {
        let request = ContainerStatusRequest {
            $0.containerId = container
            $0.verbose = true
        }
        let text = try await call(Methods.containerStatus, request).info["log"] ?? ""
        return try JSONDecoder().decode(LogInfo.self, from: Data(text.utf8))
    }
}
