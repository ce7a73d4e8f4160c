import CarpelCore
import CarpelMachines
import Foundation

/// The folders of a pod under root and state.
struct PodFolders {
    private let paths: NodePaths

    init(_ paths: NodePaths) { self.paths = paths }

    /// The state folder is made by the machine's side too; QEMU's user must be able to pass through both.
    func make(_ id: String) throws {
        for folder in [paths.pod(id), paths.podState(id)] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
            } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
                throw CarpelError(.resourceExhausted, "noSpace", "no space left to make \(folder)")
            }
        }
    }

    /// What a stopped pod no longer needs: its sockets, its view of the node's files and the disks that were its own. Its boot log and its logs stay.
    func removeRunning(_ id: String) throws {
        try SharedFolder(paths.sharedFolder(id)).remove()
        try removeIfThere(paths.podState(id))
        for name in try filesOfPod(id) where name.hasSuffix(Self.diskSuffix) {
            try removeIfThere("\(paths.pod(id))/\(name)")
        }
    }

    private static let diskSuffix = ".raw"

    private func filesOfPod(_ id: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: paths.pod(id)) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: paths.pod(id))
    }

    func remove(_ id: String) throws {
        try SharedFolder(paths.sharedFolder(id)).remove()
        try removeIfThere(paths.podState(id))
        try removeIfThere(paths.pod(id))
    }

    private func removeIfThere(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }
}
