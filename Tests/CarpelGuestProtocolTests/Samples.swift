import CarpelGuestProtocol

enum Samples {
    static var container: ContainerSpec {
        var process = ProcessSpec(arguments: ["sh", "-c", "true"], environment: ["A=b", "C="])
        process.capabilities = 0xFFFF_FFFF_FFFF
        process.seccompProgram = [UInt8](repeating: 9, count: 64)
        process.resourceLimits = [.init(resource: 7, soft: 1, hard: .max)]
        process.user.group = 3
        var spec = ContainerSpec(id: "c1", layers: ["l1", "l2"], process: process)
        spec.namespaces.pid = .target(container: "c0")
        spec.resources.memoryLimit = -1
        spec.resources.unified = ["memory.high": "max"]
        spec.devices = [
            .init(path: "/dev/x", kind: .block, major: 8, minor: 1), .init(path: "/dev/y", kind: .block, volume: "v"),
        ]
        spec.mounts = [
            .init(source: .memory, destination: "/t", options: ["ro"]),
            .init(source: .shared(path: "a/b"), destination: "/s", readOnly: true, recursivelyReadOnly: true),
            .init(source: .volume(name: "v", subPath: ""), destination: "/v"),
            .init(source: .image(layers: ["l1", "l2"], subPath: "usr"), destination: "/i", readOnly: true),
        ]
        return spec
    }

    private static let interface = SandboxConfiguration.Interface(
        hardwareAddress: "52:54:00:12:34:56", name: "eth1", mtu: 1500, addresses: ["10.0.0.2/24"],
        routes: [.init(destination: "::/0", gateway: "fe80::1")])

    private static var stats: GuestStats {
        var usage = CgroupUsage()
        usage.cpu.usage = .max
        usage.memory.limit = 5
        usage.processLimit = 6
        usage.memoryPressure = CgroupUsage.Pressure()
        usage.memoryPressure?.some.average10 = 1234
        return GuestStats(
            time: 1, pod: usage,
            containers: [
                .init(id: "c1", usage: usage, writableLayer: .init(bytes: 1, inodes: 2, time: 3)),
                .init(id: "c2", usage: CgroupUsage()),
            ],
            interfaces: [
                .init(
                    name: "eth0", received: .init(bytes: 1, packets: 2, errors: 3, dropped: 4),
                    sent: .init(bytes: 5, packets: 6, errors: 7, dropped: 8))
            ], machine: .init(onlineCPUs: 2, memoryBytes: 3, availableMemoryBytes: 4))
    }

    static let requests: [GuestRequest] = [
        .configure(
            SandboxConfiguration(
                hostname: "h", resolvConf: "r", hosts: "s", sysctls: ["a.b": "1"], clock: .max,
                entropy: [UInt8](repeating: 1, count: 64), scratchDisk: "d",
                interfaces: [interface], sharedFolder: "shared")),
        .addVolume(GuestVolume(name: "v", source: .disk(serial: "s", fileSystem: "xfs"), readOnly: true)),
        .addVolume(GuestVolume(name: "v", source: .block(serial: "s"))),
        .addVolume(GuestVolume(name: "v", source: .memory(sizeLimit: 1 << 40))),
        .addVolume(GuestVolume(name: "v", source: .memory(sizeLimit: nil))),
        .addVolume(GuestVolume(name: "v", source: .scratch)), .removeVolume(name: "v"), .growVolume(name: "v"),
        .freezeVolume(name: "v", timeoutSeconds: 10), .thawVolume(name: "v"), .volumeUsage(name: "v"),
        .configureInterfaces([interface]), .removeInterface(hardwareAddress: interface.hardwareAddress),
        .createContainer(container), .startContainer(id: "c1"),
        .signalContainer(id: "c1", signal: 15, everyProcess: true), .removeContainer(id: "c1"),
        .exec(ExecSpec(id: "e", container: "c1", process: container.process, stdin: true)),
        .signalExec(id: "e", signal: 9), .resizeExec(id: "e", rows: 1, columns: 2),
        .resizeContainer(id: "e", rows: 1, columns: 2), .attachInput(container: "c1", closeAtEnd: false),
        .updateResources(id: "c1", resources: container.resources), .followOutput(container: "c1", from: 7),
        .releaseOutput(container: "c1", before: 8), .stats,
        .takeUpHardware(virtualCPUs: 2, memoryBytes: 1 << 32), .updatePodResources(container.resources),
        .freezeContainers(ids: ["c1"]), .thawContainers(clock: 5),
        .restore(
            RestoredSandbox(
                hostname: "h", resolvConf: "r", hosts: "s", sysctls: ["a.b": "1"], clock: 7,
                entropy: [UInt8](repeating: 1, count: 64),
                interfaces: [.init(formerHardwareAddress: "52:54:00:12:34:57", interface: interface)],
                containers: ["c1": "c2"])),
        .mountSharedFolder(tag: "t"), .unmountSharedFolder, .state, .shutdown,
    ]

    static let responses: [GuestResponse] = [
        .done, .started(pid: 7, at: 8), .exited(ExitStatus(code: 137, at: 9, outOfMemory: true)),
        .frozen(nextOutput: ["c1": 7]),
        .failed(GuestFailure(.mountFailed, "message", errno: 5)),
        .stats(stats),
        .volumeUsage(
            VolumeUsage(capacityBytes: 5, usedBytes: 4, availableBytes: .max, inodes: 3, usedInodes: 2)),
        .state(
            GuestState(
                agentVersion: "1", configured: true,
                containers: [
                    .init(id: "a", phase: .created, nextOutput: 0),
                    .init(id: "b", phase: .running(pid: 1, since: 2), nextOutput: 3),
                    .init(id: "c", phase: .exited(ExitStatus(code: 0, at: 1), started: 2), nextOutput: 3),
                ],
                volumes: [.init(volume: GuestVolume(name: "v", source: .scratch), isFrozen: true)],
                interfaces: [interface])),
    ]
}

/// The same numbers in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Changes, removes or adds a byte.
    mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let index = Int.random(in: bytes.indices, using: &self)
        switch Int.random(in: 0..<4, using: &self) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 2: bytes.remove(at: index)
        default: bytes.insert(UInt8.random(in: 0...255, using: &self), at: index)
        }
    }
}

/// `00ff` as bytes.
func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
