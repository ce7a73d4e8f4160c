import Foundation
import Testing

/// The fuzz targets hold for real examples; `hack/fuzz` looks for what they do not hold for.
@Suite struct SeedTests {
    @Test(arguments: FuzzTarget.all.map(\.name)) func aTargetHoldsForItsSeeds(name: String) async throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty && seeds.allSatisfy { $0.count <= target.maximumLength })
        for seed in seeds + [[], [0]] { try await run(target, seed) }
    }

    /// Targets block their thread, which therefore is none of the tasks' own.
    private func run(_ target: FuzzTarget, _ input: [UInt8]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let thread = Thread { continuation.resume(with: Result { try target.run(input) }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
