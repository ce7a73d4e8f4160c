import CarpelAPI
import CarpelGuestProtocol
import Testing

@testable import CarpelRuntime

struct MetricTests {
    /// The kubelet drops a metric whose values do not match its descriptor's keys.
    @Test func everyMetricHasADescriptorOfItsOwnAndAValueForEachLabel() throws {
        let descriptors = usageMetricFamilies.map(\.descriptor) + podMetricFamilies.map(\.descriptor)
        #expect(Set(descriptors.map(\.name)).count == descriptors.count)
        #expect(descriptors.allSatisfy { !$0.help.isEmpty })
        var usage = CgroupUsage()
        usage.cpuPressure = CgroupUsage.Pressure()
        let labels = MetricLabels(samplePodRecord)
        for family in usageMetricFamilies {
            for metric in family.metrics(of: UsageSource(usage: usage), labels) {
                #expect(metric.labelValues.count == family.descriptor.labelKeys.count)
                #expect(metric.value != nil && metric.timestamp == 0)
            }
        }
    }

    @Test func theNamesThatTheKubeletServesAreThere() {
        let names = Set((usageMetricFamilies.map(\.name)) + podMetricFamilies.map(\.name))
        let wanted = [
            "container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_memory_rss",
            "container_network_receive_bytes_total", "container_network_transmit_packets_dropped_total",
            "container_start_time_seconds", "container_fs_usage_bytes", "container_oom_events_total",
            "container_pressure_memory_stalled_seconds_total", "carpel_machine_overhead_bytes",
        ]
        #expect(names.isSuperset(of: wanted))
    }

    @Test func valuesAreInTheUnitOfTheName() throws {
        var usage = CgroupUsage()
        usage.cpu.usage = 3_500_000
        usage.memory.usage = 100
        usage.memory.inactiveFile = 30
        func value(_ name: String) throws -> UInt64 {
            let family = try #require(usageMetricFamilies.first { $0.name == name })
            return try #require(family.samples(UsageSource(usage: usage)).first).value
        }
        #expect(try value("container_cpu_usage_seconds_total") == 3)
        #expect(try value("container_memory_working_set_bytes") == 70)
        #expect(try value("container_spec_memory_limit_bytes") == 0)
    }

    private var samplePodRecord: PodRecord {
        PodRecord(
            id: "p", name: "p", runtimeHandler: "", config: samplePod { _ in }, createdAt: 0, phase: .ready,
            virtualCPUs: 1, memoryBytes: 1, timeline: [], leftovers: [], networks: [], volumes: [], failure: "")
    }
}

struct UsageMessageTests {
    @Test func theWorkingSetIsTheUsageLessTheInactiveFilePages() {
        var usage = CgroupUsage()
        usage.memory.usage = 100
        usage.memory.inactiveFile = 30
        let limited = MemoryUsage(usage, limit: 90, time: 1)
        #expect(limited.workingSetBytes?.value == 70 && limited.availableBytes?.value == 20)
        let unlimited = MemoryUsage(usage, limit: nil, time: 1)
        #expect(unlimited.availableBytes == nil)
        usage.memory.inactiveFile = 200
        #expect(MemoryUsage(usage, limit: 90, time: 1).workingSetBytes?.value == 0)
    }

    @Test func pressureIsInNanosecondsAndPercent() {
        var pressure = CgroupUsage.Pressure()
        pressure.some.average10 = 1234
        pressure.full.total = 5
        let message = PsiStats(pressure)
        #expect(message.Some?.Avg10 == 12.34 && message.Full?.Total == 5000)
    }

    @Test func anUpdateKeepsWhatItDoesNotName() {
        let old = LinuxContainerResources {
            $0.cpuQuota = 50_000
            $0.cpuPeriod = 100_000
            $0.memoryLimitInBytes = 1 << 30
            $0.unified = ["pids.max": "5", "memory.high": "7"]
        }
        let change = LinuxContainerResources {
            $0.cpuQuota = -1
            $0.unified = ["pids.max": "6"]
        }
        let new = old.updated(with: change)
        #expect(new.cpuPeriod == 100_000 && new.memoryLimitInBytes == 1 << 30 && new.cpuQuota == -1)
        #expect(new.unified == ["pids.max": "6", "memory.high": "7"])
        // The quota that was in force is lifted, which in a new container would need no word.
        #expect(updatedResources(new, by: change).cpuQuota == -1)
        #expect(containerResources(new).cpuQuota == nil)
    }
}
