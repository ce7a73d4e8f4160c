import CarpelCore
import Foundation
import Logging

/// All that it takes to start the host of one version of a plugin.
struct HostLaunch: Sendable {
    let manifest: PluginManifest
    let hosting: PluginHosting
    let logger: Logger

    var configuration: JSONValue { hosting.configurations[manifest.name] ?? .object([:]) }
    var stateFolder: String { "\(hosting.stateRoot)/\(manifest.name)" }

    /// - Throws: `CarpelError`: what is wrong with the configuration, the account or the syscall profile.
    func message() throws -> StartMessage {
        try manifest.check(configuration)
        let account = try hosting.account.map { try SystemAccount(named: $0) }
        try makeStateFolder(account)
        return StartMessage(
            name: manifest.name, library: manifest.library, stateFolder: stateFolder,
            machineGroup: hosting.machineGroup, account: account.map { .init(user: $0.user, group: $0.group) },
            capabilities: manifest.capabilities,
            seccompProgram: try SeccompPrograms.program(for: manifest).hexadecimal, configuration: configuration)
    }

    /// The plugin's own, which nobody else may list: QEMU passes through to the disks in it.
    private func makeStateFolder(_ account: SystemAccount?) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: hosting.stateRoot, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
            try FileManager.default.createDirectory(atPath: stateFolder, withIntermediateDirectories: true)
        } catch {
            throw CarpelError(.failedPrecondition, "pluginStateFailed", "cannot make \(stateFolder): \(error)")
        }
        guard chmod(stateFolder, 0o711) == 0, account.map({ chown(stateFolder, $0.user, $0.group) == 0 }) ?? true
        else {
            throw CarpelError(
                .failedPrecondition, "pluginStateFailed",
                "cannot give \(stateFolder) to the plugin: \(String(cString: strerror(errno)))")
        }
    }
}

/// The first message to a host.
struct StartMessage: Codable, Sendable {
    struct Account: Codable {
        let user: UInt32
        let group: UInt32
    }

    let name: String
    let library: String
    let stateFolder: String
    let machineGroup: UInt32
    let account: Account?
    let capabilities: [String]
    let seccompProgram: String
    let configuration: JSONValue
}

/// What a host answers to it.
struct StartedAnswer: Decodable, Sendable {
    let abiVersion: Int
}

extension Sequence<UInt8> {
    /// Two digits a byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole &+ attoseconds / 1_000_000_000
    }
}
