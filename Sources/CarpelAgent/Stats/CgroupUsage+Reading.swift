import CarpelGuestProtocol

extension CgroupUsage {
    init(of cgroup: Cgroup) {
        self.init()
        cpu = CPU(cgroup.numbers(in: "cpu.stat"))
        memory = Memory(of: cgroup)
        io = IO((try? Files.read("\(cgroup.path)/io.stat")) ?? [])
        processes = cgroup.number(in: "pids.current") ?? 0
        processLimit = cgroup.number(in: "pids.max")
        cpuPressure = Pressure(file: "\(cgroup.path)/cpu.pressure")
        memoryPressure = Pressure(file: "\(cgroup.path)/memory.pressure")
        ioPressure = Pressure(file: "\(cgroup.path)/io.pressure")
    }
}

extension CgroupUsage.CPU {
    init(_ numbers: [String: UInt64]) {
        self.init()
        usage = numbers["usage_usec"] ?? 0
        user = numbers["user_usec"] ?? 0
        system = numbers["system_usec"] ?? 0
        periods = numbers["nr_periods"] ?? 0
        throttledPeriods = numbers["nr_throttled"] ?? 0
        throttled = numbers["throttled_usec"] ?? 0
    }
}

extension CgroupUsage.Memory {
    fileprivate init(of cgroup: Cgroup) {
        self.init()
        let stat = cgroup.numbers(in: "memory.stat")
        let events = cgroup.numbers(in: "memory.events")
        usage = cgroup.number(in: "memory.current") ?? 0
        limit = cgroup.number(in: "memory.max")
        peak = cgroup.number(in: "memory.peak")
        inactiveFile = stat["inactive_file"] ?? 0
        anonymous = stat["anon"] ?? 0
        file = stat["file"] ?? 0
        mappedFile = stat["file_mapped"] ?? 0
        swap = cgroup.number(in: "memory.swap.current")
        swapLimit = cgroup.number(in: "memory.swap.max")
        pageFaults = stat["pgfault"] ?? 0
        majorPageFaults = stat["pgmajfault"] ?? 0
        limitHits = events["max"] ?? 0
        kills = events["oom_kill"] ?? 0
    }
}

extension CgroupUsage.IO {
    /// `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 …`, a line a disk.
    init(_ content: [UInt8]) {
        self.init()
        for word in String(decoding: content, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = UInt64(parts[1]) else { continue }
            switch parts[0] {
            case "rbytes": readBytes &+= value
            case "wbytes": writtenBytes &+= value
            case "rios": reads &+= value
            case "wios": writes &+= value
            default: break
            }
        }
    }
}

extension CgroupUsage.Pressure {
    /// Nil where the kernel does not count it.
    fileprivate init?(file: String) {
        guard let content = try? Files.read(file) else { return nil }
        self.init(content)
    }

    /// `some avg10=0.12 avg60=0.00 avg300=0.00 total=123`, and the same with `full`.
    init(_ content: [UInt8]) {
        self.init()
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "some": some = Line(words.dropFirst())
            case "full": full = Line(words.dropFirst())
            default: break
            }
        }
    }
}

extension CgroupUsage.Pressure.Line {
    fileprivate init(_ words: ArraySlice<Substring>) {
        self.init()
        for word in words {
            let parts = word.split(separator: "=")
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "avg10": average10 = Self.hundredths(parts[1])
            case "avg60": average60 = Self.hundredths(parts[1])
            case "avg300": average300 = Self.hundredths(parts[1])
            case "total": total = UInt64(parts[1]) ?? 0
            default: break
            }
        }
    }

    /// The kernel writes two decimals.
    private static func hundredths(_ text: Substring) -> UInt32 { UInt32(text.filter { $0 != "." }) ?? 0 }
}
