import CarpelCore
import Synchronization

/// Streams that have been asked for and not been opened yet, each behind a url that works once, and soon.
final class PendingStreams: Sendable {
    typealias Opening = @Sendable () async throws -> any PodStream

    private struct Entry {
        let expires: ContinuousClock.Instant
        let open: Opening
    }

    private static let scheme = "carpel:///streams/"

    private let lifetime: Duration
    private let maximum: Int
    private let entries = Mutex<[String: Entry]>([:])

    init(lifetime: Duration = .seconds(60), maximum: Int = 1024) {
        self.lifetime = lifetime
        self.maximum = maximum
    }

    /// - Returns: the url that opens it.
    func add(_ open: @escaping Opening) throws -> String {
        let url = Self.scheme + makeID()
        try entries.withLock { entries in
            Self.dropExpired(&entries)
            guard entries.count < maximum else {
                throw CarpelError(
                    .resourceExhausted, "tooManyStreams",
                    "\(maximum) streams wait to be opened with OpenStream; open some or try again in a minute")
            }
            entries[url] = Entry(expires: .now + lifetime, open: open)
        }
        return url
    }

    func take(_ url: String) throws -> Opening {
        let entry = entries.withLock { entries in
            Self.dropExpired(&entries)
            return entries.removeValue(forKey: url)
        }
        guard let entry else {
            throw CarpelError(
                .notFound, "streamNotFound",
                "no stream waits at this url: it works once and for a minute; ask for another one", field: "url")
        }
        return entry.open
    }

    private static func dropExpired(_ entries: inout [String: Entry]) {
        let now = ContinuousClock.now
        entries = entries.filter { $0.value.expires > now }
    }
}
