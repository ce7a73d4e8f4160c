import CarpelCore
import CarpelPluginSDK
import Foundation
import Synchronization

/// Which versions of CNI the plugins of this machine speak: each executable is asked once.
final class CNIVersions: Sendable {
    /// A file that is replaced is another one.
    private struct Executable: Hashable {
        let path: String
        let inode: UInt64
        let size: Int64
        let changed: Int64
        let changedNanoseconds: Int64
    }

    private let known = Mutex<[Executable: Set<CNIVersion>]>([:])

    /// The newest version that the network's configuration allows, and that this plugin and all of the chain speak.
    ///
    /// - Throws: `PluginError`, ``CNIFailure``.
    func negotiate(
        _ network: NetworkConfiguration, for verb: CNIVerb, _ programs: CNIPrograms
    ) async throws -> CNIVersion {
        var candidates = network.versions.intersection(CNIVersion.spoken)
        guard !candidates.isEmpty else {
            throw PluginError(
                .failedPrecondition, "cniVersionUnsupported",
                "\(network.source): cniVersion: it wants CNI \(network.versions.list); "
                    + "this plugin speaks \(CNIVersion.spoken.list)")
        }
        for plugin in network.plugins {
            let supported = try await versions(of: plugin.type, for: verb, network: network.name, programs)
            guard !candidates.isDisjoint(with: supported) else {
                throw CNIFailure(
                    plugin: plugin.type, verb: verb, network: network.name,
                    cause: .versionUnsupported(wanted: candidates.sorted(), supported: supported.sorted()))
            }
            candidates.formIntersection(supported)
        }
        return candidates.max() ?? CNIVersion.withCheck
    }

    private func versions(
        of plugin: String, for verb: CNIVerb, network: String, _ programs: CNIPrograms
    ) async throws -> Set<CNIVersion> {
        let path = try programs.path(of: plugin, for: verb, network: network)
        var information = stat()
        stat(path, &information)
        let executable = Executable(
            path: path, inode: UInt64(information.st_ino), size: Int64(information.st_size),
            changed: Int64(information.st_ctim.tv_sec), changedNanoseconds: Int64(information.st_ctim.tv_nsec))
        if let versions = known.withLock({ $0[executable] }) { return versions }

        let newest = CNIVersion.spoken.max() ?? CNIVersion.withCollection
        let call = CNICall(
            verb: .version, plugin: plugin, network: network,
            input: .object(["cniVersion": .string(newest.description)]), attachment: nil)
        let output = try await programs.run(call)
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
            throw CNIFailure(call, .unintelligible("its answer is not CNI's: \(output.excerpt)"))
        }
        let versions = Set(answer.supportedVersions.compactMap { CNIVersion($0) })
        known.withLock { $0[executable] = versions }
        return versions
    }

    private struct Answer: Decodable {
        let supportedVersions: [String]
    }
}

extension [UInt8] {
    /// The beginning of a text, for messages.
    var excerpt: String { isEmpty ? "nothing" : String(decoding: prefix(200), as: UTF8.self) }
}
