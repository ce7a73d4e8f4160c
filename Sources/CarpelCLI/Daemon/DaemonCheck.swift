import CarpelAPI
import CarpelCore
import Foundation

/// `carpeld --check`: what a daemon that does not run would find on this node.
struct DaemonCheck {
    let root: String?
    let state: String?
    let config: String?

    func run() throws -> [DoctorCheck] {
        let process = Process()
        process.executableURL = try executable()
        process.arguments =
            ["--check"]
            + [("--root", root), ("--state", state), ("--config", config)]
            .flatMap { name, value in value.map { [name, $0] } ?? [] }
        let output = Pipe()
        process.standardOutput = output
        do { try process.run() } catch {
            throw CarpelError(.unavailable, "daemonCheckFailed", "cannot run carpeld --check: \(error)")
        }
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let response = try? JSONDecoder().decode(DoctorResponse.self, from: answer)
        else {
            throw CarpelError(
                .unavailable, "daemonCheckFailed",
                "carpeld --check ended with \(process.terminationStatus); see what it wrote")
        }
        return response.checks
    }

    /// The one that lies beside this program, or else the first in PATH.
    private func executable() throws -> URL {
        let here = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map {
            URL(fileURLWithPath: String($0))
        }
        let candidates = ([here] + path).map { $0.appendingPathComponent("carpeld") }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
            throw CarpelError(
                .notFound, "daemonMissing",
                "there is no carpeld beside carpel or in PATH; install it, or run it with --check")
        }
        return found
    }
}
