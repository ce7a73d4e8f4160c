import Glibc
import Synchronization

/// Counts connections, so that they never take the descriptors that pods need.
final class OpenConnections: Sendable {
    let maximum: Int
    private let count = Atomic(0)

    /// - Parameter maximum: nil for half of what the process may open.
    init(maximum: Int?) { self.maximum = maximum ?? Self.halfOfDescriptors }

    private static var halfOfDescriptors: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(min(limit.rlim_cur / 2, 8192))
    }

    func counting(_ serve: (_ isOneTooMany: Bool) async -> Void) async {
        let before = count.add(1, ordering: .relaxed).oldValue
        await serve(before >= maximum)
        count.subtract(1, ordering: .relaxed)
    }
}
