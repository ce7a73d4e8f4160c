import Foundation
import TestSupport

/// A network namespace that stands for a node's, so that tests of networks do not meet.
final class TestNetwork: Sendable {
    let name = "carpel-\(UInt32.random(in: .min ... .max))"
    var path: String { "/run/netns/\(name)" }

    init() async throws {
        try await TestSupport.shell("ip netns add \(name) && ip -n \(name) link set lo up")
    }

    func remove() async throws {
        try await TestSupport.shell("ip netns del \(name)")
    }

    /// Runs a shell command in the namespace.
    @discardableResult
    func shell(_ command: String) async throws -> String {
        try await TestSupport.shell("exec nsenter --net=\(path) sh -c \"$1\"", command)
    }
}
