import CLinux
import CarpelGuestProtocol
import Glibc

/// Everything about a process that is decided before it exists. Its child only carries out.
final class ProcessPlan {
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The program, for messages.
    let name: String
    private let text = CStrings()
    private var process = carpel_process()
    private var steps: [carpel_step] = []
    private var stepNames: [String] = []
    private let spec: ProcessSpec
    private let identity: UserDatabase.Identity
    /// Kept open until the child has them.
    private var descriptors: [Descriptor] = []

    init(_ spec: ProcessSpec, as identity: UserDatabase.Identity) throws(GuestFailure) {
        guard let name = spec.arguments.first, !name.isEmpty else {
            throw GuestFailure(.invalidArgument, "there is no command to run")
        }
        guard spec.seccompProgram.count % 8 == 0, spec.seccompProgram.count <= 8 * 4096 else {
            throw GuestFailure(.invalidArgument, "the seccomp program is not a list of at most 4096 instructions")
        }
        guard spec.resourceLimits.allSatisfy({ $0.soft <= $0.hard }) else {
            throw GuestFailure(.invalidArgument, "a soft resource limit is above its hard limit")
        }
        self.name = name
        self.spec = spec
        self.identity = identity
        process.pid_namespace = -1
        process.cgroup = -1
        process.standard = (-1, -1, -1)
        process.terminal = spec.terminal
    }

    func makeNamespaces(_ kinds: Int32) { process.namespaces |= UInt64(kinds) }

    func start(inPIDNamespace namespace: Descriptor) {
        process.pid_namespace = namespace.number
        descriptors.append(namespace)
    }

    func start(in cgroup: Descriptor) {
        process.cgroup = cgroup.number
        descriptors.append(cgroup)
    }

    func setOOMScoreAdjustment(_ value: Int32) { process.oom_score_adjustment = max(-1000, min(1000, value)) }
    func makeWorkingDirectory() { process.make_directory = true }

    /// Gives the process its stdin and its outputs; without it the process makes itself a terminal.
    func connect(stdin: Bool) throws(GuestFailure) -> ProcessPipes? {
        guard !spec.terminal else { return nil }
        let (pipes, inside) = try ProcessPipes.make(stdin: stdin)
        process.standard = (inside[0].number, inside[1].number, inside[2].number)
        descriptors += inside
        return pipes
    }

    /// To be called once, at the end. The child has a copy of everything then.
    func spawn(_ pidfd: inout Int32, _ status: inout Int32) -> Int32 {
        let directory = spec.workingDirectory.isEmpty ? "/" : spec.workingDirectory
        process.directory = UnsafePointer(text(directory))
        process.arguments = UnsafePointer(text(spec.arguments))
        process.environment = UnsafePointer(text(environment))
        process.path = UnsafePointer(text(value(of: "PATH") ?? Self.defaultPath))
        process.uid = identity.uid
        process.gid = identity.gid
        process.capabilities = spec.capabilities
        process.no_new_privileges = spec.noNewPrivileges
        process.seccomp_count = UInt16(spec.seccompProgram.count / 8)
        defer { descriptors = [] }
        let limits = spec.resourceLimits.map { carpel_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }

        return steps.withUnsafeBufferPointer { steps in
            limits.withUnsafeBufferPointer { limits in
                identity.groups.withUnsafeBufferPointer { groups in
                    spec.seccompProgram.withUnsafeBytes { program in
                        process.steps = steps.baseAddress
                        process.step_count = steps.count
                        process.limits = limits.baseAddress
                        process.limit_count = limits.count
                        process.groups = groups.baseAddress
                        process.group_count = groups.count
                        process.seccomp = program.baseAddress
                        return carpel_spawn(&process, &pidfd, &status)
                    }
                }
            }
        }
    }

    private var environment: [String] {
        value(of: "HOME") == nil ? spec.environment + ["HOME=\(identity.home)"] : spec.environment
    }

    private func value(of name: String) -> String? {
        spec.environment.last { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }
}

/// Steps, in the order in which they are added.
extension ProcessPlan {
    private func add(_ name: String, _ step: carpel_step) {
        stepNames.append(name)
        steps.append(step)
    }

    private func step(_ kind: carpel_step_kind, target: String? = nil, source: String? = nil) -> carpel_step {
        var step = carpel_step()
        step.kind = kind
        step.target = target.map { UnsafePointer(text($0)) }
        step.source = source.map { UnsafePointer(text($0)) }
        return step
    }

    func mount(_ type: String?, from source: String? = nil, on target: String, _ flags: Int, _ options: String? = nil) {
        var step = step(CARPEL_MOUNT, target: target, source: source ?? type)
        step.type = type.map { UnsafePointer(text($0)) }
        step.data = options.map { UnsafePointer(text($0)) }
        step.flags = UInt(flags)
        add("mount \(type ?? source ?? "nothing") on \(target)", step)
    }

    func makeDirectory(_ path: String, mayBeLink: Bool = true) {
        var step = step(CARPEL_DIRECTORY, target: path)
        step.flags = mayBeLink ? 0 : 1
        add("make the directory \(path)", step)
    }

    func makeFile(_ path: String) { add("make the file \(path)", step(CARPEL_FILE, target: path)) }

    func makeNode(_ device: ContainerSpec.Device) {
        var step = step(CARPEL_NODE, target: device.path)
        step.mode = device.mode & 0o7777 | UInt32(device.kind == .block ? S_IFBLK : S_IFCHR)
        step.uid = device.uid
        step.gid = device.gid
        step.device = makedev(device.major, device.minor)
        add("make the device \(device.path)", step)
    }

    func link(_ path: String, to target: String) {
        add("link \(path) to \(target)", step(CARPEL_LINK, target: path, source: target))
    }

    func grab(_ path: String, slot: Int32) {
        var step = step(CARPEL_GRAB, source: path)
        step.slot = slot
        add("take hold of \(path)", step)
    }

    func place(slot: Int32, on path: String) {
        var step = step(CARPEL_PLACE, target: path)
        step.slot = slot
        add("mount on \(path)", step)
    }

    func pivot(to root: String) { add("enter the root", step(CARPEL_PIVOT, target: root)) }

    func makeReadOnly(_ path: String, bind: Bool) {
        var step = step(CARPEL_READ_ONLY, target: path)
        step.flags = bind ? 1 : 0
        add("make \(path) read-only", step)
    }

    func mask(_ path: String) { add("mask \(path)", step(CARPEL_MASK, target: path)) }

    func unshare(_ kinds: Int32) {
        var step = step(CARPEL_UNSHARE)
        step.flags = UInt(kinds)
        add("make namespaces", step)
    }

    func join(_ kinds: Int32, of process: Descriptor) {
        var step = step(CARPEL_JOIN)
        step.flags = UInt(kinds)
        step.slot = process.number
        descriptors.append(process)
        add("join namespaces", step)
    }
}

/// What a report of the child means.
extension ProcessPlan {
    func failure(_ report: carpel_report) -> GuestFailure {
        let error = report.error
        switch carpel_stage(rawValue: UInt32(report.stage)) {
        case CARPEL_STAGE_STEP:
            let index = Int(report.step)
            let name = stepNames.indices.contains(index) ? stepNames[index] : "prepare the process"
            return CarpelAgent.failure(error, .mountFailed, name)
        case CARPEL_STAGE_EXEC:
            return executionFailure(error)
        case CARPEL_STAGE_DIRECTORY:
            return CarpelAgent.failure(error, .workingDirectoryInvalid, "enter \(spec.workingDirectory)")
        case CARPEL_STAGE_TERMINAL: return CarpelAgent.failure(error, .system, "set up standard input and output")
        case CARPEL_STAGE_LIMITS: return CarpelAgent.failure(error, .invalidArgument, "set the resource limits")
        case CARPEL_STAGE_SECCOMP: return CarpelAgent.failure(error, .invalidArgument, "install the seccomp program")
        case CARPEL_STAGE_CAPABILITIES: return CarpelAgent.failure(error, .system, "set the capabilities")
        case CARPEL_STAGE_USER: return CarpelAgent.failure(error, .system, "become user \(identity.uid)")
        default: return CarpelAgent.failure(error, .system, "start \(name)")
        }
    }

    private func executionFailure(_ error: Int32) -> GuestFailure {
        switch error {
        // A script whose interpreter is missing says the same as a missing script.
        case ENOENT, ENOTDIR: CarpelAgent.failure(error, .commandNotFound, "execute \(name)")
        default:
            GuestFailure(.commandNotExecutable, "execute \(name): \(String(cString: strerror(error)))", errno: error)
        }
    }
}

/// As the kernel's `struct stat` wants it (makedev(3)).
private func makedev(_ major: UInt32, _ minor: UInt32) -> UInt64 {
    let (major, minor) = (UInt64(major), UInt64(minor))
    return (major & 0xFFF) << 8 | (major & ~0xFFF) << 32 | minor & 0xFF | (minor & ~0xFF) << 12
}
