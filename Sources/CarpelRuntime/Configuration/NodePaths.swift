/// Where a daemon keeps things: `root` stays over a reboot, `state` is gone with it.
public struct NodePaths: Sendable {
    public static let defaultRoot = "/var/lib/carpel"
    public static let defaultState = "/run/carpel"

    public let root: String
    public let state: String

    public init(root: String, state: String) {
        self.root = root
        self.state = state
    }

    public var socket: String { "\(state)/carpel.sock" }
    public var database: String { "\(root)/carpel.db" }
    public var images: String { "\(root)/images" }
    public var scratchTemplates: String { "\(root)/scratch" }
    public var pods: String { "\(root)/pods" }
    /// libvirt's and QEMU's own.
    public var machines: String { "\(state)/machines" }
    /// A folder for each plugin's own state.
    public var plugins: String { "\(root)/plugins" }
    public var podStates: String { "\(state)/pods" }

    /// The pod's disks, boot log and, where CRI named no folder, container logs.
    public func pod(_ id: String) -> String { "\(pods)/\(id)" }
    public func scratchDisk(_ id: String) -> String { "\(pod(id))/scratch.raw" }
    /// The disk of an empty volume with a size limit.
    public func emptyVolume(_ id: String, _ index: Int) -> String { "\(pod(id))/volume-\(index).raw" }
    /// Names the folder of a checkpoint that is under way.
    public func checkpointNote(_ id: String) -> String { "\(pod(id))/checkpoint-under-way" }
    public func bootLog(_ id: String) -> String { "\(pod(id))/boot.log" }
    /// The pod's sockets. The id is cut, since a socket's path has at most 107 bytes.
    public func podState(_ id: String) -> String { "\(podStates)/\(id.prefix(13))" }
    /// What the pods' machines see of the node's files. It is apart from what is removed with everything below it.
    public var sharedFolders: String { "\(state)/shared" }
    public func sharedFolder(_ id: String) -> String { "\(sharedFolders)/\(id.prefix(13))" }
    /// What is being written to a container's log.
    public func logNotes(_ id: String, _ container: String) -> String {
        "\(podState(id))/\(container.prefix(13)).log-notes"
    }
    public func channel(_ id: String) -> String { "\(podState(id))/agent.sock" }
}
