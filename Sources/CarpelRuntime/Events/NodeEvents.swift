import CarpelAPI
import CarpelCore
import Synchronization

/// What happens on the node, for those who subscribe: containers' events, as CRI has them, and the changes of
/// everything.
///
/// Whoever tells waits for nobody. The number of events of each sort that are kept is bounded; their texts are shared
/// with the records that they were made of.
final class NodeEvents: Sendable {
    typealias Kind = WatchNodeResponse.Kind

    /// How long after its start a daemon still tells new subscribers what it found then.
    private static let findingsLast = Duration.seconds(60)

    private struct Key: Hashable {
        let kind: Kind
        let id: String
    }

    private struct Findings {
        var events: [ContainerEventResponse]
        let end: ContinuousClock.Instant
    }

    private let containers: EventLog<ContainerEventResponse>
    private let revisions: EventLog<WatchNodeResponse>
    /// Every object as it was last told, with the revision of that. It is locked while revisions are made.
    private let objects = Mutex<[Key: WatchNodeResponse]>([:])
    private let findings = Mutex<Findings?>(nil)
    private let stale = Mutex<Set<Kind>>([])
    private let staleness: AsyncStream<Void>
    private let staleSink: AsyncStream<Void>.Continuation

    /// - Parameter kept: how many events of each sort.
    init(kept: Int = 4096) {
        containers = EventLog(capacity: kept)
        // They begin at the clock's microseconds: those of an earlier run are known to be none of this one.
        revisions = EventLog(after: UInt64(clamping: now() / 1000), capacity: kept)
        (staleness, staleSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Telling

    func tell(_ event: ContainerEventResponse) { containers.append { _ in event } }

    /// Tells of an object that is there; nothing if it is as it was.
    func tell(_ object: WatchNodeResponse) {
        objects.withLock { tell(object, &$0) }
    }

    /// Tells that an object is not there any more, if it was.
    func tellRemoval(of kind: Kind, _ id: String) {
        objects.withLock { tellRemoval(Key(kind: kind, id: id), &$0) }
    }

    /// Tells what has changed among the objects of a kind, all of which are `present`.
    ///
    /// - Parameter isMeant: the objects of that kind that `present` is complete for.
    func tell(
        _ kind: Kind, present: [WatchNodeResponse], among isMeant: (WatchNodeResponse) -> Bool = { _ in true }
    ) {
        let ids = Set(present.map(\.id))
        objects.withLock { objects in
            for (key, object) in objects where key.kind == kind && !ids.contains(key.id) && isMeant(object) {
                tellRemoval(key, &objects)
            }
            for object in present { tell(object, &objects) }
        }
    }

    private func tell(_ object: WatchNodeResponse, _ objects: inout [Key: WatchNodeResponse]) {
        let key = Key(kind: object.kind, id: object.id)
        var object = object
        let known = objects[key]
        if let known {
            (object.revision, object.type, object.createdAt) = (known.revision, known.type, known.createdAt)
            guard object != known else { return }
        }
        object.type = known == nil ? .ADDED : .MODIFIED
        object.createdAt = now()
        revisions.append { revision in
            object.revision = revision
            return object
        }
        objects[key] = object
    }

    private func tellRemoval(_ key: Key, _ objects: inout [Key: WatchNodeResponse]) {
        guard var object = objects.removeValue(forKey: key) else { return }
        object.type = .REMOVED
        object.createdAt = now()
        revisions.append { revision in
            object.revision = revision
            return object
        }
    }

    /// What has been told so far was found when the daemon started, and is still news to whoever subscribes soon.
    func endFindings() {
        findings.withLock { $0 = Findings(events: containers.elements, end: .now + Self.findingsLast) }
    }

    // MARK: What has to be looked for

    /// Says that objects of a kind may have changed: whoever runs ``staleKinds`` looks for them.
    func markStale(_ kinds: Kind...) {
        stale.withLock { $0.formUnion(kinds) }
        staleSink.yield()
    }

    /// The kinds that were marked since the last time, again and again.
    var staleKinds: AsyncStream<Set<Kind>> {
        AsyncStream { [self] in
            for await _ in staleness {
                return stale.withLock { kinds in
                    defer { kinds = [] }
                    return kinds
                }
            }
            return nil
        }
    }

    // MARK: Reading

    /// The containers' events from now on, and before them, right after a start of the daemon, what it found then.
    func containerEvents() -> ItemStream<ContainerEventResponse> {
        let found = findings.withLock { findings in
            if let end = findings?.end, end < .now { findings = nil }
            return findings?.events ?? []
        }
        return .following(containers, after: containers.last, first: found)
    }

    /// Everything that is there and a bookmark, and then the changes.
    func everything() -> ItemStream<WatchNodeResponse> {
        let (present, revision) = objects.withLock { ($0.values, revisions.last) }
        let added = present.sorted { $0.revision < $1.revision }.map { object in
            var object = object
            object.type = .ADDED
            return object
        }
        let bookmark = WatchNodeResponse {
            $0.type = .BOOKMARK
            $0.createdAt = now()
            $0.revision = revision
        }
        return .following(revisions, after: revision, first: added + [bookmark])
    }

    /// The changes behind a revision.
    ///
    /// - Throws: `OUT_OF_RANGE`, reason `revisionGone`.
    func changes(after revision: UInt64) throws -> ItemStream<WatchNodeResponse> {
        guard revisions.keepsAll(after: revision) else {
            throw CarpelError(
                .outOfRange, "revisionGone",
                "what came after revision \(revision) is no longer known; watch without a revision to start anew",
                field: "revision")
        }
        return .following(revisions, after: revision, first: [])
    }
}
