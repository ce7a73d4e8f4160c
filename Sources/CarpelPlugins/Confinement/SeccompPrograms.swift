import CarpelCore
import CarpelSeccomp
import Synchronization

/// The syscall filters of plugins, compiled: libseccomp takes several milliseconds for one.
enum SeccompPrograms {
    private struct Key: Hashable {
        let profile: PluginSeccomp
        let capabilities: CapabilitySet
    }

    private static let compiled = Mutex<[Key: [UInt8]]>([:])

    /// - Throws: `CarpelError`, see `SeccompProfile`.
    static func program(for manifest: PluginManifest) throws -> [UInt8] {
        let capabilities = CapabilitySet(manifest.capabilities.compactMap(CapabilitySet.init(named:)))
        let target = SeccompTarget(capabilities: capabilities)
        guard let profile = PluginSeccomp(rawValue: manifest.seccomp) else {
            return try ofFile(manifest.seccomp, target)
        }
        let key = Key(profile: profile, capabilities: capabilities)
        if let known = compiled.withLock({ $0[key] }) { return known }
        let program = try profile.profile.compile(for: target)
        compiled.withLock { $0[key] = program }
        return program
    }

    private static func ofFile(_ path: String, _ target: SeccompTarget) throws -> [UInt8] {
        do {
            return try SeccompProfile(contentsOf: path).compile(for: target)
        } catch let error as CarpelError {
            throw CarpelError(error.code, error.reason, error.message, field: "seccomp")
        }
    }
}
