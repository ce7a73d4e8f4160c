import CarpelAPI
import Testing

@testable import CarpelCLI

struct UsageTests {
    private func pod(
        _ name: String, at second: Int64, cores: Double, bytes: UInt64, containers: [ContainerStats] = []
    ) -> PodSandboxStats {
        PodSandboxStats {
            $0.attributes = PodSandboxAttributes {
                $0.id = "id-\(name)"
                $0.metadata = PodSandboxMetadata { $0.name = name }
            }
            $0.linux = LinuxPodSandboxStats {
                $0.cpu = cpu(at: second, cores: cores)
                $0.memory = memory(bytes)
                $0.process = ProcessUsage { $0.processCount = UInt64Value { $0.value = 4 } }
                $0.network = NetworkUsage {
                    $0.defaultInterface = NetworkInterfaceUsage {
                        $0.rxBytes = UInt64Value { $0.value = 2048 }
                        $0.txBytes = UInt64Value { $0.value = 10 }
                    }
                }
                $0.containers = containers
            }
            $0.carpel = PodSandboxStatsExtension { $0.machine = MachineStats { $0.overheadBytes = 30 << 20 } }
        }
    }

    private func container(_ name: String, at second: Int64, cores: Double, bytes: UInt64) -> ContainerStats {
        ContainerStats {
            $0.attributes = ContainerAttributes {
                $0.id = "id-\(name)"
                $0.metadata = ContainerMetadata { $0.name = name }
            }
            $0.cpu = cpu(at: second, cores: cores)
            $0.memory = MemoryUsage { $0.workingSetBytes = UInt64Value { $0.value = bytes } }
            $0.writableLayer = FilesystemUsage { $0.usedBytes = UInt64Value { $0.value = 4096 } }
        }
    }

    /// Of something that has always used so many cores.
    private func cpu(at second: Int64, cores: Double) -> CpuUsage {
        CpuUsage {
            $0.timestamp = second * 1_000_000_000
            $0.usageCoreNanoSeconds = UInt64Value { $0.value = UInt64(Double(second) * cores * 1e9) }
            $0.usageNanoCores = UInt64Value { $0.value = UInt64(cores * 1e9) }
        }
    }

    private func memory(_ bytes: UInt64) -> MemoryUsage {
        MemoryUsage {
            $0.workingSetBytes = UInt64Value { $0.value = bytes }
            $0.availableBytes = UInt64Value { $0.value = (64 << 20) - bytes }
        }
    }

    private func sample(_ second: Int64) -> [PodSandboxStats] {
        [
            pod("idle", at: second, cores: 0.01, bytes: 40 << 20),
            pod(
                "busy", at: second, cores: 0.9, bytes: 10 << 20,
                containers: [
                    container("small", at: second, cores: 0.1, bytes: 1 << 20),
                    container("large", at: second, cores: 0.8, bytes: 9 << 20),
                ]),
        ]
    }

    @Test func podsAndTheirContainersAreSortedAndWhatIsGoneIsForgotten() {
        var history = UsageHistory()
        history.note(sample(1))
        history.note(sample(2))
        #expect(history.sorted(by: .cpu).map(\.name) == ["busy", "large", "small", "idle"])
        #expect(history.sorted(by: .memory).map(\.name) == ["idle", "busy", "large", "small"])
        history.note([pod("idle", at: 3, cores: 0.01, bytes: 40 << 20)])
        #expect(history.sorted(by: .cpu).map(\.name) == ["idle"])
    }

    @Test func theHistoryIsAMinuteLong() throws {
        var history = UsageHistory()
        for second in 1...100 { history.note(sample(Int64(second))) }
        let row = try #require(history.rows["id-busy"])
        #expect(row.cpu.count == 60 && row.memory.count == 60)
        #expect(row.cpu.allSatisfy { abs($0 - 0.9) < 0.001 })
    }

    @Test func plainTopIsATableWithoutPlots() {
        var top = TopScreen(isPlain: true)
        top.history.note(sample(1))
        top.history.note(sample(2))
        #expect(
            top.text(columns: 0, style: .plain) == """
                NAME       CPU    MEMORY     LIMIT  OVERHEAD
                busy     90.0%  10.0 MiB  64.0 MiB  30.0 MiB
                  large  80.0%   9.0 MiB
                  small  10.0%   1.0 MiB
                idle      1.0%  40.0 MiB  64.0 MiB  30.0 MiB

                """)
    }

    @Test func topFitsItsPlotsIntoTheTerminal() {
        var top = TopScreen()
        for second in 1...5 { top.history.note(sample(Int64(second))) }
        for columns in [60, 80, 120, 200] {
            let lines = top.text(columns: columns, style: .plain).split(separator: "\n")
            #expect(lines.first == "2 pods, 2 containers, 91.0% CPU, 50.0 MiB")
            #expect(lines.dropFirst(3).allSatisfy { $0.count <= columns })
        }
        #expect(top.text(columns: 120, style: .plain).contains("████"))
    }

    @Test func sparklinesAreScaledToTheirHighest() {
        #expect(Sparkline.text([0, 1, 2, 4], width: 6, floor: 0) == "  ▁▃▅█")
        #expect(Sparkline.text([0.01, 0.02], width: 2, floor: 1) == "▁▁")
        #expect(Sparkline.text([1, 2, 3], width: 2, floor: 0) == "▆█")
        #expect(Sparkline.text([], width: 3, floor: 0) == "   ")
        #expect(Sparkline.text([0, 0], width: 2, floor: 0) == "▁▁")
    }

    @Test func containersHaveTheLimitOfTheirPodWhereTheyHaveNone() {
        #expect(
            StatsTable(stats: sample(2), pods: false).text == """
                CONTAINER  NAME        CPU %   MEM USAGE / LIMIT  MEM %  WRITTEN
                id-small   busy/small  10.0%  1.0 MiB / 64.0 MiB   1.6%  4.0 KiB
                id-large   busy/large  80.0%  9.0 MiB / 64.0 MiB  14.1%  4.0 KiB

                """)
        #expect(
            StatsTable(stats: sample(2), pods: true).text == """
                POD ID   NAME  CPU %    MEM USAGE / LIMIT  MEM %         NET I/O  PIDS  MACHINE OVERHEAD
                id-idle  idle   1.0%  40.0 MiB / 64.0 MiB  62.5%  2.0 KiB / 10 B     4          30.0 MiB
                id-busy  busy  90.0%  10.0 MiB / 64.0 MiB  15.6%  2.0 KiB / 10 B     4          30.0 MiB

                """)
    }

    @Test func limitsAreReadInDockersWords() throws {
        let limits = try LimitOptions.parse([
            "--cpus", "1.5", "-c", "512", "--cpuset-cpus", "0-1", "-m", "64Mi", "--pids-limit", "7",
        ])
        let resources = try limits.resources()
        #expect(resources.cpuQuota == 150_000 && resources.cpuPeriod == 100_000 && resources.cpuShares == 512)
        #expect(resources.cpusetCpus == "0-1" && resources.memoryLimitInBytes == 64 << 20)
        #expect(resources.unified == ["pids.max": "7"])
        let lifted = try LimitOptions.parse(["--cpus", "0", "--pids-limit", "-1"]).resources()
        #expect(lifted.cpuQuota == -1 && lifted.unified == ["pids.max": "max"])
        #expect(try LimitOptions.parse(["--cpu-quota", "-1"]).resources().cpuQuota == -1)
        #expect(throws: (any Error).self) { try LimitOptions.parse(["--cpus", "1", "--cpu-quota", "5"]) }
        #expect(throws: (any Error).self) { try LimitOptions.parse(["--memory", "much"]).resources() }
        #expect(throws: (any Error).self) { try LimitOptions.parse(["--pids-limit", "0"]).resources() }
    }
}
