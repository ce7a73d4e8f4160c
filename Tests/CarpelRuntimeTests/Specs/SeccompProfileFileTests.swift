import CarpelAPI
import CarpelCore
import Foundation
import Testing

@testable import CarpelRuntime

@Suite struct SeccompProfileFileTests {
    private static let field = "config.linux.securityContext.seccomp.localhostRef"

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("seccomp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func spec(_ path: String) throws {
        let config = sampleContainer {
            $0.secure {
                $0.seccomp = SecurityProfile {
                    $0.profileType = .Localhost
                    $0.localhostRef = path
                }
            }
        }
        let spec = try containerSpec(id: "c", config: config, sandbox: samplePod(), image: sampleImage(), layers: [])
        #expect(!spec.process.seccompProgram.isEmpty)
    }

    @Test func aProfileOfTheNodeIsReadAndCompiled() throws {
        try withFolder { folder in
            let json = #"{"defaultAction": "SCMP_ACT_LOG"}"#
            try json.write(toFile: "\(folder)/a.json", atomically: false, encoding: .utf8)
            try spec("\(folder)/a.json")
        }
    }

    @Test func whatIsNoProfileIsRefusedByReason() throws {
        try withFolder { folder in
            try "{".write(toFile: "\(folder)/broken", atomically: false, encoding: .utf8)
            try #"{"defaultAction": "SCMP_ACT_MAYBE"}"#
                .write(toFile: "\(folder)/unknown", atomically: false, encoding: .utf8)
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            for (name, code, reason) in [
                ("absent", CarpelError.Code.notFound, "seccompProfileNotFound"),
                ("pipe", .failedPrecondition, "seccompProfileUnreadable"),
                ("", .failedPrecondition, "seccompProfileUnreadable"),
                ("broken", .invalidArgument, "seccompProfileInvalid"),
                ("unknown", .invalidArgument, "seccompProfileInvalid"),
            ] {
                let error = refusal { try spec("\(folder)/\(name)") }
                #expect(error?.code == code)
                #expect(error?.reason == reason)
                #expect(error?.field == Self.field)
            }
        }
    }
}
