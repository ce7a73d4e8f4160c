import CarpelAPI
import CarpelGuestProtocol

// The guest's counters in CRI's messages.

extension CpuUsage {
    init(_ usage: CgroupUsage, rate: UInt64?, time: Int64) {
        self.init()
        timestamp = time
        usageCoreNanoSeconds = number(usage.cpu.nanoseconds)
        usageNanoCores = rate.map(number)
        psi = usage.cpuPressure.map(PsiStats.init)
    }
}

extension MemoryUsage {
    /// - Parameter limit: bytes; nil for none.
    init(_ usage: CgroupUsage, limit: UInt64?, time: Int64) {
        let memory = usage.memory
        self.init()
        timestamp = time
        workingSetBytes = number(memory.workingSet)
        availableBytes = limit.map { number($0 - min($0, memory.workingSet)) }
        usageBytes = number(memory.usage)
        rssBytes = number(memory.anonymous)
        pageFaults = number(memory.pageFaults)
        majorPageFaults = number(memory.majorPageFaults)
        psi = usage.memoryPressure.map(PsiStats.init)
    }
}

extension SwapUsage {
    /// Nil where the kernel does not count it.
    init?(_ memory: CgroupUsage.Memory, time: Int64) {
        guard let swap = memory.swap else { return nil }
        self.init()
        timestamp = time
        swapUsageBytes = number(swap)
        swapAvailableBytes = memory.swapLimit.map { number($0 - min($0, swap)) }
    }
}

extension IoUsage {
    init?(_ usage: CgroupUsage, time: Int64) {
        guard let pressure = usage.ioPressure else { return nil }
        self.init()
        timestamp = time
        psi = PsiStats(pressure)
    }
}

extension PsiStats {
    init(_ pressure: CgroupUsage.Pressure) {
        self.init()
        Full = PsiData(pressure.full)
        Some = PsiData(pressure.some)
    }
}

extension PsiData {
    fileprivate init(_ line: CgroupUsage.Pressure.Line) {
        self.init()
        Total = line.total &* 1000
        Avg10 = Double(line.average10) / 100
        Avg60 = Double(line.average60) / 100
        Avg300 = Double(line.average300) / 100
    }
}

extension NetworkUsage {
    /// The first interface that the pod was given is its default one.
    init(_ interfaces: [GuestStats.Interface], time: Int64) {
        self.init()
        timestamp = time
        defaultInterface = interfaces.first.map(NetworkInterfaceUsage.init)
        self.interfaces = interfaces.dropFirst().map(NetworkInterfaceUsage.init)
    }
}

extension NetworkInterfaceUsage {
    fileprivate init(_ interface: GuestStats.Interface) {
        self.init()
        name = interface.name
        rxBytes = number(interface.received.bytes)
        rxErrors = number(interface.received.errors)
        txBytes = number(interface.sent.bytes)
        txErrors = number(interface.sent.errors)
    }
}

func number(_ value: UInt64) -> UInt64Value { UInt64Value { $0.value = value } }
