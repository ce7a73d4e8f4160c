import CarpelCore

/// Refuses what is no name below /proc/sys, and what would break into the pod's machine behind its agent.
///
/// A container runtime on a shared kernel must refuse everything outside the pod's namespaces. Here the whole
/// kernel is the pod's, so that the other names are allowed too.
func checkSysctls(_ sysctls: [String: String], at field: String) throws {
    for (name, value) in sysctls.sorted(by: { $0.key < $1.key }) {
        let field = "\(field)[\(name)]"
        let name = try sysctlName(name, at: field)
        if let reason = refusal(of: name, value) { throw CarpelError.invalid(field, reason, reason: "sysctlRefused") }
        guard value.utf8.count < 4096, !value.holdsControlCharacter || value.utf8.allSatisfy({ $0 == 9 || $0 > 0x1F })
        else {
            throw CarpelError.invalid(field, "a value is one line of less than 4096 bytes", reason: "sysctlInvalid")
        }
    }
}

private let sysctlRoots: Set<String> = ["abi", "debug", "dev", "fs", "kernel", "net", "user", "vm"]

/// The name in sysctl(8)'s dotted form, where a slash stands for a dot inside a part (`net.ipv4.conf.eth0/1.mtu`).
/// A name whose first separator is a slash has the two exchanged. Source: sysctl.d(5).
func sysctlName(_ name: String, at field: String) throws -> String {
    let separator = name.first { $0 == "." || $0 == "/" }
    let exchanged = name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 }
    let dotted = separator == "/" ? String(exchanged) : name
    let parts = dotted.split(separator: ".", omittingEmptySubsequences: false)
    let sound = parts.allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !part.hasPrefix("/") && !part.hasSuffix("/")
            && !part.contains("//")
    }
    guard sound, parts.count >= 2, sysctlRoots.contains(String(parts[0])), dotted.utf8.count < 256 else {
        throw CarpelError.invalid(field, "not a sysctl's name such as net.ipv4.ip_forward", reason: "sysctlInvalid")
    }
    return dotted
}

/// The name as the agent takes it: dotted, or with slashes between the parts where a part holds a dot.
func guestSysctlName(_ name: String, at field: String) throws -> String {
    let dotted = try sysctlName(name, at: field)
    guard dotted.contains("/") else { return dotted }
    return String(dotted.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
}

/// Why a setting that the kernel would take is not for a pod to make.
private func refusal(of name: String, _ value: String) -> String? {
    switch name {
    case "kernel.hostname": "the pod's host name is config.hostname"
    case "kernel.modprobe", "kernel.poweroff_cmd":
        "names a program that the kernel would start outside every container; leave it out"
    case "kernel.core_pattern" where value.hasPrefix("|"):
        "a pipe would start a program outside every container; name a file"
    case "kernel.modules_disabled", "kernel.panic", "kernel.panic_on_oops":
        "Carpel's agent relies on its own value; leave it out"
    default: nil
    }
}
