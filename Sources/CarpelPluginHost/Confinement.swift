import CCapability
import CarpelJSON
import Glibc

/// Gives up everything that the manifest does not name. To be called while the process has one thread: capabilities
/// and filters belong to threads, and later threads inherit them.
///
/// - Throws: `HostFailure` with `confinementFailed`, or `confinementMissing` where root was to stay root.
func confine(_ request: StartRequest) throws {
    let program = try SeccompProgram(hexadecimal: request.seccompProgram)
    try check(chdir(request.stateFolder), "enter the state folder \(request.stateFolder)")
    if let account = request.account {
        let capabilities = try request.capabilities.map(capability(named:))
        try narrowBoundingSet(to: capabilities)
        try become(account, alsoIn: request.machineGroup)
        try keep(capabilities)
    } else if geteuid() == 0 {
        throw HostFailure(
            .failedPrecondition, "confinementMissing", "a plugin must not run as root: name an account for it")
    }
    try check(carpel_prctl(PR_SET_NO_NEW_PRIVS, 1), "set no_new_privs")
    // Last, since a filter may forbid what was needed until here.
    try program.load()
}

private func capability(named name: String) throws -> cap_value_t {
    var value = cap_value_t()
    guard cap_from_name(name.lowercased(), &value) == 0 else {
        throw HostFailure(.invalidArgument, "capabilityUnknown", "this node knows no capability \(name)")
    }
    return value
}

/// Nothing that the process executes can ever get more.
private func narrowBoundingSet(to capabilities: [cap_value_t]) throws {
    for value in 0..<cap_max_bits() where !capabilities.contains(value) {
        try check(cap_drop_bound(value), "take a capability out of the bounding set")
    }
    // Without it whatever runs as user 0 would have all that the bounding set leaves.
    try check(carpel_prctl(PR_SET_SECUREBITS, carpel_securebits), "set the secure bits")
}

/// As root setgid(2) and setuid(2) change the saved ones too: there is no way back.
private func become(_ account: StartRequest.Account, alsoIn machineGroup: UInt32) throws {
    try check(setgroups(1, [machineGroup]), "enter the machines' group")
    try check(setgid(account.group), "enter the group \(account.group)")
    try check(carpel_prctl(PR_SET_KEEPCAPS, 1), "keep capabilities")
    try check(setuid(account.user), "become the user \(account.user)")
    try check(carpel_prctl(PR_SET_KEEPCAPS, 0), "keep capabilities no longer")
}

private func keep(_ capabilities: [cap_value_t]) throws {
    guard let set = cap_init() else { throw HostFailure(.internal, "confinementFailed", "libcap has no memory") }
    defer { cap_free(UnsafeMutableRawPointer(set)) }
    for flag in [CAP_PERMITTED, CAP_INHERITABLE, CAP_EFFECTIVE] where !capabilities.isEmpty {
        try check(cap_set_flag(set, flag, Int32(capabilities.count), capabilities, CAP_SET), "choose capabilities")
    }
    try check(cap_set_proc(set), "drop capabilities")
    // So that the programs that a plugin starts have them too.
    for value in capabilities { try check(cap_set_ambient(value, CAP_SET), "hand capabilities on") }
}

/// A filter of syscalls, as the kernel takes it.
private struct SeccompProgram {
    private let instructions: [sock_filter]

    init(hexadecimal: String) throws {
        let bytes = try hexadecimalBytes(hexadecimal)
        let size = MemoryLayout<sock_filter>.size
        guard !bytes.isEmpty, bytes.count % size == 0 else { throw JSONScanner.Malformed() }
        instructions = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: bytes.count, by: size).map {
                raw.loadUnaligned(fromByteOffset: $0, as: sock_filter.self)
            }
        }
    }

    func load() throws {
        var instructions = instructions
        let result = instructions.withUnsafeMutableBufferPointer { buffer in
            var program = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
            return carpel_set_seccomp_filter(&program)
        }
        try check(result, "load the syscall filter")
    }
}

private func check(_ result: Int32, _ step: String) throws {
    guard result == 0 else {
        throw HostFailure(
            .permissionDenied, "confinementFailed", "cannot \(step): \(String(cString: strerror(errno)))")
    }
}
