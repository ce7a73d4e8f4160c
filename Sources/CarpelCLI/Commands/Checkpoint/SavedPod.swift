import CarpelAPI
import CarpelCore
import Foundation

/// What `checkpoint.json` in a checkpoint's folder says that a person or a restore needs.
struct SavedPod: Decodable {
    struct Container: Decodable {
        var config: ContainerConfig
    }
    struct File: Decodable {
        var name: String
        var bytes: Int64
    }

    var createdAt: Int64
    var pausedNanoseconds: Int64
    var pod: PodSandboxConfig
    var containers: [Container]
    var files: [File]

    init(in folder: String) throws {
        let path = "\(folder)/checkpoint.json"
        guard let content = FileManager.default.contents(atPath: path) else {
            throw CarpelError(
                .notFound, "checkpointMissing", "\(path) cannot be read: is it a checkpoint's folder, and yours?")
        }
        do { self = try JSONDecoder().decode(SavedPod.self, from: content) } catch {
            throw CarpelError(.failedPrecondition, "checkpointDamaged", "\(path) is no checkpoint's: \(error)")
        }
    }

    var summary: String {
        let state = files.first { $0.name == "machine.state" }?.bytes ?? 0
        return "\(pod.metadata?.name ?? ""): \(containers.count) containers, \(ByteCount(state)) of memory, "
            + "stood still for \(HumanText.duration(nanoseconds: pausedNanoseconds))"
    }

    /// What brings the pod back beside the one that it was saved from.
    func restoreRequest(from folder: String, name: String?, timeout: Int?) -> RestorePodRequest {
        RestorePodRequest {
            $0.checkpointPath = folder
            var config = pod
            if let name { config.metadata?.name = name }
            config.metadata?.uid = UUID().uuidString.lowercased()
            config.metadata?.attempt = 0
            $0.config = config
            $0.containerConfigs = containers.map(\.config)
            if let timeout { $0.options = ["timeoutSeconds": "\(timeout)"] }
        }
    }
}
