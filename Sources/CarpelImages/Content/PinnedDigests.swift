/// Digests that are needed, counted: each use is given back once.
struct PinnedDigests: Sendable {
    private var counts: [Digest: Int] = [:]

    var all: Set<Digest> { Set(counts.keys) }

    mutating func add(_ digests: some Sequence<Digest>) {
        for digest in digests { counts[digest, default: 0] += 1 }
    }

    mutating func remove(_ digests: some Sequence<Digest>) {
        for digest in digests {
            guard let count = counts[digest] else { continue }
            counts[digest] = count > 1 ? count - 1 : nil
        }
    }
}
