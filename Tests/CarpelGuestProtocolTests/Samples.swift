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
        spec.devices = [.init(path: "/dev/x", kind: .block, major: 8, minor: 1)]
        spec.mounts = [.init(kind: .tmpfs, destination: "/t", options: ["ro"])]
        return spec
    }

    static let requests: [GuestRequest] = [
        .configure(
            SandboxConfiguration(
                hostname: "h", resolvConf: "r", hosts: "s", sysctls: ["a.b": "1"], clock: .max,
                entropy: [UInt8](repeating: 1, count: 64), scratchDisk: "d")),
        .createContainer(container), .startContainer(id: "c1"),
        .signalContainer(id: "c1", signal: 15, everyProcess: true), .removeContainer(id: "c1"),
        .exec(ExecSpec(id: "e", container: "c1", process: container.process, stdin: true)),
        .signalExec(id: "e", signal: 9), .resizeExec(id: "e", rows: 1, columns: 2),
        .resizeContainer(id: "e", rows: 1, columns: 2), .attachInput(container: "c1", closeAtEnd: false),
        .updateResources(id: "c1", resources: container.resources), .followOutput(container: "c1", from: 7),
        .releaseOutput(container: "c1", before: 8), .state, .shutdown,
    ]

    static let responses: [GuestResponse] = [
        .done, .started(pid: 7, at: 8), .exited(ExitStatus(code: 137, at: 9, outOfMemory: true)),
        .failed(GuestFailure(.mountFailed, "message", errno: 5)),
        .state(
            GuestState(
                agentVersion: "1", configured: true,
                containers: [
                    .init(id: "a", phase: .created, nextOutput: 0),
                    .init(id: "b", phase: .running(pid: 1, since: 2), nextOutput: 3),
                    .init(id: "c", phase: .exited(ExitStatus(code: 0, at: 1), started: 2), nextOutput: 3),
                ])),
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
