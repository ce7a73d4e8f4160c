import CarpelAPI
import CarpelCore
import CarpelGuestProtocol

extension Runtime {
    /// - Throws: `NOT_FOUND`; `FAILED_PRECONDITION`/`podNotReady`; `DEADLINE_EXCEEDED`/`agentSilent` if the guest is stuck.
    public func podSandboxStats(_ request: PodSandboxStatsRequest) async throws -> PodSandboxStatsResponse {
        let reading = try await requirePod(request.podSandboxId).read()
        return PodSandboxStatsResponse { $0.stats = reading.podStats }
    }

    /// Of the pods that are ready, the newest first. One that does not answer is left out.
    public func listPodSandboxStats(_ request: ListPodSandboxStatsRequest) async throws -> ListPodSandboxStatsResponse {
        let filter = request.filter ?? PodSandboxStatsFilter()
        var wanted: [PodSandbox] = []
        for pod in pods.values where filter.matches(await pod.record) { wanted.append(pod) }
        let stats = await readings(of: wanted).map(\.podStats)
        return ListPodSandboxStatsResponse { $0.stats = stats }
    }
}

extension PodSandboxStatsFilter {
    fileprivate func matches(_ record: PodRecord) -> Bool {
        (id.isEmpty || record.id.hasPrefix(id))
            && labelSelector.allSatisfy { record.config.labels[$0.key] == $0.value }
    }
}

extension PodReading {
    /// What all containers of the pod may use together.
    private var memoryLimit: UInt64 {
        min(UInt64(clamping: record.memoryBytes), guest.pod.memory.limit ?? .max)
    }

    var podStats: PodSandboxStats {
        PodSandboxStats {
            $0.attributes = PodSandboxAttributes {
                $0.id = record.id
                $0.metadata = record.config.metadata
                $0.labels = record.config.labels
                $0.annotations = record.config.annotations
            }
            $0.linux = LinuxPodSandboxStats {
                $0.cpu = CpuUsage(guest.pod, rate: rates[record.id], time: time)
                $0.memory = MemoryUsage(guest.pod, limit: memoryLimit, time: time)
                $0.network = NetworkUsage(guest.interfaces, time: time)
                $0.process = ProcessUsage {
                    $0.timestamp = time
                    $0.processCount = number(guest.pod.processes)
                }
                $0.containers = containerStats
                $0.io = IoUsage(guest.pod, time: time)
            }
            $0.carpel = PodSandboxStatsExtension { $0.machine = machineStats }
        }
    }

    private var machineStats: MachineStats? {
        machine.map { usage in
            MachineStats {
                $0.timestamp = time
                $0.virtualCpus = guest.machine.onlineCPUs
                $0.memoryBytes = UInt64(clamping: record.memoryBytes)
                $0.availableBytes = guest.machine.availableMemoryBytes
                $0.virtualCpuCoreNanoSeconds = usage.virtualCPUNanoseconds
                $0.overheadCoreNanoSeconds = usage.overheadNanoseconds
                $0.guestResidentBytes = usage.guestMemory.map { number(UInt64(clamping: $0.bytes)) }
                $0.overheadBytes = UInt64(clamping: usage.overheadMemory.bytes)
            }
        }
    }
}
