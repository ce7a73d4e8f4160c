import CarpelPluginSDK
import Foundation

let networkConcurrencyChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("concurrent-add", "32 pods can be added at once, and deleted at once") { network in
        let requests = (0..<32).map { _ in network.newRequest() }
        let attachments = try await atOnce(requests) { try await network.add($0) }
        try expectDistinct(attachments)
        for (request, attachment) in zip(requests, attachments) {
            try await network.check(request.owner, attachment)
        }
        _ = try await atOnce(requests) { try await network.delete($0.owner) }
        let left = attachments.map(\.device).filter(TapDevices.exists)
        try expect(left.isEmpty, "\(left.joined(separator: ", ")) are still there after DEL")
    },
    .init("concurrent-add-same", "one pod that is added eight times at once is there once") { network in
        let request = network.newRequest()
        let attachments = Set(try await atOnce(Array(0..<8)) { _ in try await network.add(request) })
        try expect(attachments.count == 1, "eight ADDs at once have answered \(attachments.count) different things")
    },
]

let networkCancellationChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("cancel", "an ADD that is cancelled leaves nothing, or is done") { network in
        _ = try await network.collect(keeping: [])
        try await network.plugin.surviving {
            let requests = (0..<24).map { _ in network.newRequest() }
            let done = try await atOnce(requests) { request in
                try await cancelled(after: .microseconds(UInt64.random(in: 0...4000))) {
                    try await network.add(request)
                }
            }
            let kept = zip(requests, done).filter { $1 != nil }.map(\.0.owner)
            let removed = try await network.collect(keeping: kept)
            try expect(
                removed.isEmpty, "\(removed.count) ADDs that ended with an error have left something: \(removed)")
            for (request, attachment) in zip(requests, done) {
                if let attachment { try await network.check(request.owner, attachment) }
            }
        }
    },
    .init("cancel-retry", "an ADD that was cancelled can be done again") { network in
        for _ in 0..<8 {
            let request = network.newRequest()
            let first = try await cancelled(after: .microseconds(UInt64.random(in: 0...1000))) {
                try await network.add(request)
            }
            let second = try await network.add(request)
            try expect(first == nil || first == second, "ADD answered \(String(describing: first)), then \(second)")
        }
    },
    .init("deadline", "an ADD ends when its time is up") { network in
        try await network.plugin.surviving {
            for _ in 0..<4 {
                let request = network.newRequest()
                do { _ = try await network.add(request, timeout: .milliseconds(1)) } catch is PluginError {}
                try await network.delete(request.owner)
            }
        }
    },
]

let networkRestartChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init("restart", "what was added is still known after the process was killed") { network in
        let (request, attachment) = try await network.addPod()
        await network.plugin.kill()
        try await network.plugin.revive()
        try await network.check(request.owner, attachment)
        let again = try await network.add(request)
        try expect(attachment == again, "ADD answered \(attachment) before, and \(again) after the restart")
        let (_, other) = try await network.addPod()
        try expectDistinct([attachment, other])
        try await network.delete(request.owner)
        try expect(!TapDevices.exists(attachment.device), "\(attachment.device) is still there after the DEL")
    },
    .init("kill-in-add", "ADDs that were cut off by a kill can be done again") { network in
        for _ in 0..<3 {
            let requests = (0..<12).map { _ in network.newRequest() }
            try await network.plugin.kill(in: requests) { try await network.add($0) }
            let attachments = try await atOnce(requests) { try await network.add($0) }
            try expectDistinct(attachments)
            for (request, attachment) in zip(requests, attachments) {
                try await network.check(request.owner, attachment)
                try await network.delete(request.owner)
            }
            let left = attachments.map(\.device).filter(TapDevices.exists)
            try expect(left.isEmpty, "\(left.joined(separator: ", ")) are still there after DEL")
        }
    },
    .init("kill-and-del", "ADDs that were cut off by a kill can be taken back") { network in
        _ = try await network.collect(keeping: [])
        // The first pod may bring what all share, such as a bridge.
        try await network.delete(try await network.addPod().request.owner)
        let before = TapDevices.allInterfaces
        for _ in 0..<3 {
            let requests = (0..<12).map { _ in network.newRequest() }
            try await network.plugin.kill(in: requests) { try await network.add($0) }
            for request in requests { try await network.delete(request.owner) }
        }
        let removed = try await network.collect(keeping: [])
        try expect(removed.isEmpty, "after the DEL of all, GC has still found \(removed)")
        let left = TapDevices.allInterfaces.subtracting(before)
        try expect(left.isEmpty, "the ADDs have left \(left.sorted().joined(separator: ", "))")
    },
]

/// What `body` answers although its caller has gone; nil if it ended with an error.
///
/// - Throws: ``CheckFailure`` if the plugin's process did not do as it should.
func cancelled<Result: Sendable>(
    after delay: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result? {
    let call = Task { try await body() }
    try await Task.sleep(for: delay)
    call.cancel()
    do { return try await call.value } catch is PluginError { return nil }
}
