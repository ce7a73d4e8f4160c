import CarpelAPI
import CarpelCore
import CarpelMachines
import Foundation

extension Runtime {
    public func podSandboxStatus(_ request: PodSandboxStatusRequest) async throws -> PodSandboxStatusResponse {
        let pod = try requirePod(request.podSandboxId)
        await pod.learnUsers()
        let (status, containers) = await pod.status
        var info = request.verbose ? try await pod.info(accelerator: environment.hypervisor.accelerator) : [:]
        if request.verbose { info["domain"] = await pod.domainXML }
        return PodSandboxStatusResponse {
            $0.status = status
            $0.containersStatuses = containers
            $0.timestamp = now()
            $0.info = info
        }
    }

    public func listPodSandbox(_ request: ListPodSandboxRequest) async throws -> ListPodSandboxResponse {
        var items: [PodSandboxItem] = []
        for pod in pods.values {
            let item = await pod.item
            if request.filter?.matches(item) ?? true { items.append(item) }
        }
        return ListPodSandboxResponse { $0.items = items.sorted { $0.createdAt > $1.createdAt } }
    }
}

extension PodSandboxFilter {
    fileprivate func matches(_ item: PodSandboxItem) -> Bool {
        (id.isEmpty || item.id.hasPrefix(id)) && (state.map { $0.state == item.state } ?? true)
            && labelSelector.allSatisfy { item.labels[$0.key] == $0.value }
    }
}

extension PodSandbox {
    private var criState: PodSandboxState {
        if case .ready = state { .SANDBOX_READY } else { .SANDBOX_NOTREADY }
    }

    var item: PodSandboxItem {
        PodSandboxItem {
            $0.id = id
            $0.metadata = record.config.metadata
            $0.state = criState
            $0.createdAt = record.createdAt
            $0.labels = record.config.labels
            $0.annotations = record.config.annotations
            $0.runtimeHandler = record.runtimeHandler
        }
    }

    var status: (pod: PodSandboxStatus, containers: [ContainerStatus]) {
        let pod = PodSandboxStatus {
            $0.id = id
            $0.metadata = record.config.metadata
            $0.state = criState
            $0.createdAt = record.createdAt
            $0.network = PodSandboxNetworkStatus {
                $0.ip = addresses.first ?? ""
                $0.additionalIps = addresses.dropFirst().map { address in PodIP { $0.ip = address } }
            }
            $0.linux = LinuxPodSandboxStatus {
                $0.namespaces = Namespace {
                    $0.options = record.config.linux?.securityContext?.namespaceOptions ?? NamespaceOption()
                }
            }
            $0.labels = record.config.labels
            $0.annotations = record.config.annotations
            $0.runtimeHandler = record.runtimeHandler
        }
        return (pod, containers.values.sorted { $0.record.createdAt < $1.record.createdAt }.map(\.status))
    }

    /// The machine as libvirt sees it; nil while there is none.
    var domainXML: String? {
        get async {
            guard case .ready(let running) = state else { return nil }
            return try? await running.machine.domainXML()
        }
    }

    /// JSON texts by name, for who debugs.
    func info(accelerator: AcceleratorChoice) throws -> [String: String] {
        struct MachineInfo: Encodable {
            var virtualCPUs: Int
            var memoryBytes: Int64
            /// Why it is larger than the pod's resources.
            var surplus: MachineSurplus?
            var processID: Int32?
            /// Between the daemon and the machine's agent: each container's output, commands, forwarded ports.
            var openStreams: Int?
            var accelerator: String
            var bootLog: String
            var failure: String
            var leftovers: [String]
        }
        var running: RunningPod?
        if case .ready(let ready) = state { running = ready }
        return [
            "timeline": try jsonText(record.timeline),
            "config": try jsonText(record.config),
            "fieldsWithoutEffect": try jsonText(fieldsWithoutEffect(of: record.config)),
            "network": try jsonText(record.networks.map { NetworkAttachmentInfo($0, podID: id) }),
            "volumes": try jsonText(volumeInfos),
            "machine": try jsonText(
                MachineInfo(
                    virtualCPUs: record.virtualCPUs, memoryBytes: record.memoryBytes, surplus: surplus,
                    processID: running?.machine.processID, openStreams: running?.guest.openStreams,
                    accelerator: "\(accelerator)", bootLog: environment.paths.bootLog(id), failure: record.failure,
                    leftovers: record.leftovers)),
        ]
    }
}

extension PodSandbox {
    /// A volume of the pod, for who debugs.
    fileprivate struct VolumeAttachmentInfo: Encodable {
        var name: String
        /// `emptyDir`, or the plugin's name.
        var source: String
        var volumeID: String?
        /// The disk on the node, if it has one.
        var path: String?
        var fileSystem: String?
        var readOnly: Bool
    }

    fileprivate var volumeInfos: [VolumeAttachmentInfo] {
        let disks = Dictionary(volumeDisks.map { ($0.serial, $0) }) { first, _ in first }
        return (record.config.carpel?.volumes ?? []).enumerated().map { index, volume in
            let disk = disks[volumeSerial(at: index)]
            let published = record.volumes.first { $0.name == volume.name }
            return VolumeAttachmentInfo(
                name: volume.name, source: published?.plugin ?? "emptyDir", volumeID: published?.request.volumeID,
                path: disk?.path, fileSystem: published?.publication?.fsType, readOnly: disk?.readOnly ?? false)
        }
    }
}

func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
