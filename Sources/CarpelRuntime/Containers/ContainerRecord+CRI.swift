import CarpelAPI
import Foundation

extension ContainerRecord {
    var isRunning: Bool {
        if case .running = phase { return true }
        return false
    }

    /// Running, or on the way to it.
    var mayRun: Bool { isRunning || phase == .starting }

    var exit: Exit? {
        switch phase {
        case .exited(let exit): exit
        case .removing(let last): last
        default: nil
        }
    }

    var state: ContainerState {
        switch phase {
        case .creating, .created, .starting: .CONTAINER_CREATED
        case .running: .CONTAINER_RUNNING
        case .exited: .CONTAINER_EXITED
        case .removing(let last): last == nil ? .CONTAINER_UNKNOWN : .CONTAINER_EXITED
        }
    }

    var item: ContainerItem {
        ContainerItem {
            $0.id = id
            $0.podSandboxId = podID
            $0.metadata = config.metadata
            $0.image = config.image
            $0.imageRef = imageReference
            $0.imageId = imageID
            $0.state = state
            $0.createdAt = createdAt
            $0.labels = config.labels
            $0.annotations = config.annotations
        }
    }

    var status: ContainerStatus {
        ContainerStatus {
            $0.id = id
            $0.metadata = config.metadata
            $0.state = state
            $0.createdAt = createdAt
            $0.image = config.image
            $0.imageRef = imageReference
            $0.imageId = imageID
            $0.labels = config.labels
            $0.annotations = config.annotations
            $0.mounts = config.mounts
            $0.logPath = logPath
            $0.stopSignal = config.stopSignal
            if let resources = currentResources {
                $0.resources = ContainerResourceStatus { $0.linux = resources }
            }
            if case .running(let since) = phase { $0.startedAt = since }
            if let exit {
                $0.startedAt = exit.startedAt
                $0.finishedAt = exit.finishedAt
                $0.exitCode = exit.code
                $0.reason = exit.reason
                $0.message = exit.message
            }
        }
    }

    /// True if a container that was asked for in the same words may answer for a repetition of the request.
    func answers(_ config: ContainerConfig) -> Bool {
        guard self.config == config else { return false }
        switch phase {
        case .creating, .created: return true
        default: return false
        }
    }
}
