import ArgumentParser
import CarpelClient
import CarpelCore

/// What the shell offers where a pod or container is to be named: what the daemon has, and that names one thing.
extension CompletionKind {
    static let pod = names { $0.podNames }
    static let container = names { $0.containerNames }
    static let podOrContainer = names { $0.targetNames }

    private static func names(_ offered: @escaping @Sendable (Inventory) -> Set<String>) -> CompletionKind {
        .custom { words, _, _ async in
            // Whoever presses a key wants no error message, and no wait for a daemon that does not answer.
            let inventory = try? await withDeadline(.seconds(1), reason: "completionTimeout", "the completion") {
                try await Inventory.load(from: CarpelClient.connect(socketPath: socketPath(in: words)))
            }
            return inventory.map { offered($0).sorted() } ?? []
        }
    }
}

/// The daemon's socket that a command line names which is still being typed, or else the environment's.
private func socketPath(in words: [String]) -> String {
    var named: String?
    for (word, next) in zip(words, words.dropFirst() + [""]) {
        if word == "--socket", !next.isEmpty { named = next }
        if word.hasPrefix("--socket=") { named = String(word.dropFirst("--socket=".count)) }
    }
    return DaemonOptions.socketPath(given: named)
}

extension Inventory {
    /// For each pod the shortest name that means it.
    var podNames: Set<String> {
        Set(
            pods.compactMap { pod in
                [pod.name, "\(pod.namespace)/\(pod.name)"].first { (try? self.pod($0))?.id == pod.id }
            })
    }

    /// Pods that stand for their only container, and every container with its pod.
    var containerNames: Set<String> {
        podNames.union(containers.map(path)).filter { (try? container($0)) != nil }
    }

    var targetNames: Set<String> {
        podNames.union(containers.map(path)).filter { (try? target($0)) != nil }
    }
}
