import CLinux
import CarpelGuestProtocol
import Glibc

/// Everything about a process that is decided before it exists. Its child only carries out.
final class ProcessPlan {
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The program, for messages.
    let name: String
    /// What it does to its surroundings before it becomes the program.
    let steps = Steps()
    private let text = CStrings()
    private var process = carpel_process()
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
        defer {
            descriptors = []
            steps.release()
        }
        let limits = spec.resourceLimits.map { carpel_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }

        return steps.withSteps { steps in
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

/// What a report of the child means.
extension ProcessPlan {
    func failure(_ report: carpel_report) -> GuestFailure {
        let error = report.error
        switch carpel_stage(rawValue: UInt32(report.stage)) {
        case CARPEL_STAGE_STEP:
            return steps.failure(report)
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
