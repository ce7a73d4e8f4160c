import CarpelGuestProtocol

/// A container, or all of a pod's together, as its metrics see it.
struct UsageSource: Sendable {
    let usage: CgroupUsage
    var writableLayer: GuestStats.WritableLayer?
    /// Of a container alone.
    var record: ContainerRecord?
}

private typealias Family = MetricFamily<UsageSource>

/// The metrics of cAdvisor that the kubelet serves, as far as the guest's kernel counts them. Seconds are whole ones, since
/// CRI's metrics have no others.
///
/// Source: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
let usageMetricFamilies: [MetricFamily<UsageSource>] = cpuFamilies + memoryFamilies + otherFamilies + pressureFamilies

private func seconds(_ microseconds: UInt64) -> UInt64 { microseconds / 1_000_000 }

private let cpuFamilies: [Family] = [
    Family("container_cpu_usage_seconds_total", .COUNTER, "CPU time used, in seconds.", labels: ["cpu"]) {
        [(["total"], seconds($0.usage.cpu.usage))]
    },
    Family("container_cpu_user_seconds_total", .COUNTER, "CPU time used by programs, in seconds.") {
        seconds($0.usage.cpu.user)
    },
    Family("container_cpu_system_seconds_total", .COUNTER, "CPU time used by the kernel, in seconds.") {
        seconds($0.usage.cpu.system)
    },
    Family("container_cpu_cfs_periods_total", .COUNTER, "Periods of the CPU quota that have passed.") {
        $0.usage.cpu.periods
    },
    Family("container_cpu_cfs_throttled_periods_total", .COUNTER, "Periods in which the CPU quota was used up.") {
        $0.usage.cpu.throttledPeriods
    },
    Family("container_cpu_cfs_throttled_seconds_total", .COUNTER, "Time without CPU for want of quota, in seconds.") {
        seconds($0.usage.cpu.throttled)
    },
    Family("container_spec_cpu_period", .GAUGE, "The period of the CPU quota, in microseconds.") {
        $0.record?.currentResources.map { UInt64($0.cpuPeriod > 0 ? $0.cpuPeriod : defaultCPUPeriod) }
    },
    Family("container_spec_cpu_quota", .GAUGE, "CPU time of each period, in microseconds.") {
        $0.record?.currentResources.flatMap { $0.cpuQuota > 0 ? UInt64($0.cpuQuota) : nil }
    },
    Family("container_spec_cpu_shares", .GAUGE, "CPU share relative to other containers of the pod.") {
        $0.record?.currentResources.flatMap { $0.cpuShares > 0 ? UInt64($0.cpuShares) : nil }
    },
]

private let memoryFamilies: [Family] = [
    Family("container_memory_usage_bytes", .GAUGE, "Memory in use, file pages included.") { $0.usage.memory.usage },
    Family("container_memory_working_set_bytes", .GAUGE, "Memory that cannot be taken back at once.") {
        $0.usage.memory.workingSet
    },
    Family("container_memory_rss", .GAUGE, "Anonymous memory, in bytes.") { $0.usage.memory.anonymous },
    Family("container_memory_cache", .GAUGE, "Pages of files, in bytes.") { $0.usage.memory.file },
    Family("container_memory_mapped_file", .GAUGE, "Pages of mapped files, in bytes.") { $0.usage.memory.mappedFile },
    Family("container_memory_swap", .GAUGE, "Swap in use, in bytes.") { $0.usage.memory.swap },
    Family("container_memory_max_usage_bytes", .GAUGE, "The most memory that was in use.") { $0.usage.memory.peak },
    Family("container_memory_failcnt", .COUNTER, "How often the memory limit was met.") { $0.usage.memory.limitHits },
    Family(
        "container_memory_failures_total", .COUNTER, "Page faults.", labels: ["failure_type", "scope"]
    ) {
        [
            (["pgfault", "container"], $0.usage.memory.pageFaults),
            (["pgmajfault", "container"], $0.usage.memory.majorPageFaults),
        ]
    },
    Family("container_oom_events_total", .COUNTER, "Processes that were killed for want of memory.") {
        $0.usage.memory.kills
    },
    Family("container_spec_memory_limit_bytes", .GAUGE, "The memory limit; 0 for none.") {
        $0.usage.memory.limit ?? 0
    },
    Family("container_spec_memory_swap_limit_bytes", .GAUGE, "The swap limit.") { $0.usage.memory.swapLimit },
]

private let otherFamilies: [Family] = [
    Family("container_processes", .GAUGE, "Processes and threads.") { $0.usage.processes },
    Family("container_threads_max", .GAUGE, "The most processes and threads that there may be.") {
        $0.usage.processLimit
    },
    Family("container_fs_usage_bytes", .GAUGE, "What was written to the root, in bytes.") { $0.writableLayer?.bytes },
    Family("container_fs_inodes_used", .GAUGE, "Files that were written to the root.") { $0.writableLayer?.inodes },
    Family("container_fs_reads_bytes_total", .COUNTER, "Bytes read from disks.") { $0.usage.io.readBytes },
    Family("container_fs_writes_bytes_total", .COUNTER, "Bytes written to disks.") { $0.usage.io.writtenBytes },
    Family("container_fs_reads_total", .COUNTER, "Reads from disks.") { $0.usage.io.reads },
    Family("container_fs_writes_total", .COUNTER, "Writes to disks.") { $0.usage.io.writes },
    Family("container_start_time_seconds", .GAUGE, "When it was started, in seconds since 1970.") { source in
        guard case .running(let since)? = source.record?.phase else { return nil }
        return UInt64(clamping: since / 1_000_000_000)
    },
]

private let pressureFamilies: [Family] = [
    ("cpu", "CPU time", \CgroupUsage.cpuPressure), ("memory", "memory", \.memoryPressure),
    ("io", "disks", \.ioPressure),
].flatMap { (word: String, what: String, pressure: KeyPath<CgroupUsage, CgroupUsage.Pressure?> & Sendable) in
    [
        Family(
            "container_pressure_\(word)_waiting_seconds_total", .COUNTER, "Time in which something waited for \(what)."
        ) {
            $0.usage[keyPath: pressure].map { seconds($0.some.total) }
        },
        Family(
            "container_pressure_\(word)_stalled_seconds_total", .COUNTER, "Time in which everything waited for \(what)."
        ) {
            $0.usage[keyPath: pressure].map { seconds($0.full.total) }
        },
    ]
}
