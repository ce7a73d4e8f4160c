/// What the pod and its containers use, as the guest's kernel counts it.
public struct GuestStats: Codable, Sendable, Equatable {
    /// Guest's clock, nanoseconds since 1970.
    public var time: UInt64
    /// All containers together, those that are gone included.
    public var pod: CgroupUsage
    /// Those that run, in the order of their ids.
    public var containers: [Container]
    /// The pod's network cards, without its loopback.
    public var interfaces: [Interface]
    public var machine: Machine

    public init(
        time: UInt64, pod: CgroupUsage, containers: [Container], interfaces: [Interface], machine: Machine
    ) {
        self.time = time
        self.pod = pod
        self.containers = containers
        self.interfaces = interfaces
        self.machine = machine
    }

    public struct Container: Codable, Sendable, Equatable {
        public var id: String
        public var usage: CgroupUsage
        /// Nil until it has been measured for the first time.
        public var writableLayer: WritableLayer?
        public init(id: String, usage: CgroupUsage, writableLayer: WritableLayer? = nil) {
            self.id = id
            self.usage = usage
            self.writableLayer = writableLayer
        }
    }

    /// What a container has written to its root.
    public struct WritableLayer: Codable, Sendable, Equatable {
        public var bytes: UInt64
        public var inodes: UInt64
        /// When it was measured, which takes a walk through all of it: nanoseconds since 1970.
        public var time: UInt64
        public init(bytes: UInt64, inodes: UInt64, time: UInt64) {
            self.bytes = bytes
            self.inodes = inodes
            self.time = time
        }
    }

    public struct Interface: Codable, Sendable, Equatable {
        public var name: String
        public var received: Traffic
        public var sent: Traffic
        public init(name: String, received: Traffic, sent: Traffic) {
            self.name = name
            self.received = received
            self.sent = sent
        }
    }

    public struct Traffic: Codable, Sendable, Equatable {
        public var bytes: UInt64
        public var packets: UInt64
        public var errors: UInt64
        public var dropped: UInt64
        public init(bytes: UInt64, packets: UInt64, errors: UInt64, dropped: UInt64) {
            self.bytes = bytes
            self.packets = packets
            self.errors = errors
            self.dropped = dropped
        }
    }

    /// The machine as its kernel sees it.
    public struct Machine: Codable, Sendable, Equatable {
        public var onlineCPUs: UInt32
        /// What the kernel manages: the machine's memory without the kernel's own image and tables.
        public var memoryBytes: UInt64
        public var availableMemoryBytes: UInt64
        public init(onlineCPUs: UInt32, memoryBytes: UInt64, availableMemoryBytes: UInt64) {
            self.onlineCPUs = onlineCPUs
            self.memoryBytes = memoryBytes
            self.availableMemoryBytes = availableMemoryBytes
        }
    }
}

/// What the processes of a control group have used. Nil where this kernel does not count it.
///
/// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html
public struct CgroupUsage: Codable, Sendable, Equatable {
    public var cpu = CPU()
    public var memory = Memory()
    public var io = IO()
    /// Threads count too.
    public var processes: UInt64 = 0
    public var processLimit: UInt64?
    public var cpuPressure: Pressure?
    public var memoryPressure: Pressure?
    public var ioPressure: Pressure?

    public init() {}

    /// cpu.stat: microseconds but for the periods.
    public struct CPU: Codable, Sendable, Equatable {
        public var usage: UInt64 = 0
        public var user: UInt64 = 0
        public var system: UInt64 = 0
        public var periods: UInt64 = 0
        public var throttledPeriods: UInt64 = 0
        public var throttled: UInt64 = 0
        public init() {}
    }

    /// Bytes but for the counts.
    public struct Memory: Codable, Sendable, Equatable {
        public var usage: UInt64 = 0
        /// Nil for none.
        public var limit: UInt64?
        public var peak: UInt64?
        /// Of memory.stat: pages of files that nobody has used of late.
        public var inactiveFile: UInt64 = 0
        public var anonymous: UInt64 = 0
        public var file: UInt64 = 0
        public var mappedFile: UInt64 = 0
        public var swap: UInt64?
        public var swapLimit: UInt64?
        public var pageFaults: UInt64 = 0
        public var majorPageFaults: UInt64 = 0
        /// How often the limit was met, and how many processes were killed for it.
        public var limitHits: UInt64 = 0
        public var kills: UInt64 = 0
        public init() {}
    }

    /// io.stat, over all disks.
    public struct IO: Codable, Sendable, Equatable {
        public var readBytes: UInt64 = 0
        public var writtenBytes: UInt64 = 0
        public var reads: UInt64 = 0
        public var writes: UInt64 = 0
        public init() {}
    }

    /// How long processes waited. Source: https://docs.kernel.org/accounting/psi.html
    public struct Pressure: Codable, Sendable, Equatable {
        /// While one of them at least waited.
        public var some = Line()
        /// While all of them did.
        public var full = Line()
        public init() {}

        public struct Line: Codable, Sendable, Equatable {
            /// Hundredths of a percent of the last 10, 60 and 300 seconds.
            public var average10: UInt32 = 0
            public var average60: UInt32 = 0
            public var average300: UInt32 = 0
            /// Microseconds.
            public var total: UInt64 = 0
            public init() {}
        }
    }
}
