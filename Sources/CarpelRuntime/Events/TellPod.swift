import CarpelAPI

/// How far a pod or a container has come, as its events tell.
enum LifeStage: Int, Comparable {
    case none, created, started, stopped, removed

    static func < (left: LifeStage, right: LifeStage) -> Bool { left.rawValue < right.rawValue }
}

/// What has been told of a pod.
struct ToldPod {
    var pod: LifeStage
    var containers: [String: LifeStage]
    /// While a pod is picked up after a start of the daemon its states are not those of the pod.
    var isHeld = false

    init(_ record: PodRecord, _ containers: [ContainerRecord]) {
        pod =
            switch record.phase {
            case .creating: .none
            case .ready, .stopping: .started
            case .stopped, .removing: .stopped
            }
        self.containers = Dictionary(containers.map { ($0.id, $0.stage) }) { first, _ in first }
    }
}

extension PodSandbox {
    func holdEvents() { told.isHeld = true }

    /// Tells what has changed since `holdEvents`.
    func releaseEvents() {
        told.isHeld = false
        tellChanges()
    }

    /// Tells what has changed since the last time. Called after each change of what a status shows.
    func tellChanges() {
        guard !told.isHeld else { return }
        let (pod, statuses) = status
        tellObjects(pod, statuses)
        for step in steps {
            environment.events.tell(
                ContainerEventResponse {
                    $0.containerId = step.id
                    $0.containerEventType = step.stage.event
                    $0.createdAt = now()
                    $0.podSandboxStatus = pod
                    $0.containersStatuses = statuses
                })
        }
        for id in told.containers.keys where containers[id] == nil { told.containers[id] = nil }
        for (id, container) in containers { told.containers[id] = container.record.stage }
        told.pod = stage
    }

    private func tellObjects(_ pod: PodSandboxStatus, _ statuses: [ContainerStatus]) {
        let events = environment.events
        for id in told.containers.keys where containers[id] == nil { events.tellRemoval(of: .CONTAINER, id) }
        if case .gone = state { return events.tellRemoval(of: .POD, id) }
        events.tell(
            WatchNodeResponse {
                $0.kind = .POD
                $0.id = id
                $0.pod = pod
            })
        for status in statuses {
            events.tell(
                WatchNodeResponse {
                    $0.kind = .CONTAINER
                    $0.id = status.id
                    $0.container = status
                    $0.podSandboxId = id
                })
        }
    }

    private var stage: LifeStage {
        switch state {
        case .new, .starting, .stopping: told.pod
        case .ready: .started
        case .stopped: .stopped
        case .gone: told.pod == .none ? .none : .removed
        }
    }

    private struct Step {
        var id: String
        var stage: LifeStage
        /// Nanoseconds since 1970.
        var time: Int64
    }

    /// What has happened since the last time: containers first, since a pod ends after them.
    private var steps: [Step] {
        var steps: [Step] = []
        for (id, from) in told.containers where containers[id] == nil && from != .none {
            steps.append(Step(id: id, stage: .removed, time: now()))
        }
        for (id, container) in containers {
            var latest: Int64 = 0
            for stage in stages(from: told.containers[id] ?? .none, to: container.record.stage) {
                guard let time = container.record.time(of: stage) else { continue }
                // The node's clock and the guest's can differ.
                latest = max(latest, time)
                steps.append(Step(id: id, stage: stage, time: latest))
            }
        }
        steps.sort { ($0.time, $0.stage) < ($1.time, $1.stage) }
        return steps + stages(from: told.pod, to: stage).map { Step(id: id, stage: $0, time: now()) }
    }

    private func stages(from: LifeStage, to: LifeStage) -> [LifeStage] {
        guard from < to else { return [] }
        return ((from.rawValue + 1)...to.rawValue).compactMap { LifeStage(rawValue: $0) }
    }
}

extension LifeStage {
    fileprivate var event: ContainerEventType {
        switch self {
        case .none, .created: .CONTAINER_CREATED_EVENT
        case .started: .CONTAINER_STARTED_EVENT
        case .stopped: .CONTAINER_STOPPED_EVENT
        case .removed: .CONTAINER_DELETED_EVENT
        }
    }
}

extension ContainerRecord {
    fileprivate var stage: LifeStage {
        switch phase {
        case .creating: .none
        case .created, .starting: .created
        case .running: .started
        case .exited: .stopped
        case .removing(let last): last == nil ? .created : .stopped
        }
    }

    /// When a stage that lies behind it was reached; nil for the start of a container that never ran.
    fileprivate func time(of stage: LifeStage) -> Int64? {
        switch stage {
        case .started:
            if case .running(let since) = phase { return since }
            return exit.flatMap { $0.startedAt > 0 ? $0.startedAt : nil }
        case .stopped: return exit?.finishedAt
        default: return createdAt
        }
    }
}
