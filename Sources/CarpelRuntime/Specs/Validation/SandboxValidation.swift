import CarpelAPI
import CarpelCore

/// Refuses what a pod asks for and Carpel cannot give, by the field's path.
///
/// What is accepted but changes nothing is told by `fieldsWithoutEffect(of:)`.
/// - Throws: `.invalidArgument` for a value that means nothing, `.unimplemented` for a feature that is not there.
func validate(sandbox config: PodSandboxConfig) throws {
    guard let metadata = config.metadata else { throw CarpelError.missing("config.metadata") }
    try checkName(metadata.name, at: "config.metadata.name")
    try checkOptionalName(metadata.namespace, at: "config.metadata.namespace")
    try checkOptionalName(metadata.uid, at: "config.metadata.uid")
    if !config.hostname.isEmpty { try checkHostname(config.hostname, at: "config.hostname") }
    if !config.logDirectory.isEmpty { try checkAbsolutePath(config.logDirectory, at: "config.logDirectory") }
    if let dns = config.dnsConfig { try checkDNS(dns, at: "config.dnsConfig") }
    try checkPortMappings(config.portMappings, at: "config.portMappings")
    try checkLabels(config.labels, at: "config.labels")
    try checkAnnotations(config.annotations, at: "config.annotations")
    _ = try bandwidth(of: config)
    if let carpel = config.carpel {
        try checkNetworks(carpel.networks, at: "config.carpel.networks")
        try checkVolumes(carpel.volumes, at: "config.carpel.volumes")
    }
    if let linux = config.linux { try checkLinux(linux, at: "config.linux") }
    guard config.windows == nil else { throw windowsUnsupported("config.windows") }
}

func windowsUnsupported(_ field: String) -> CarpelError {
    .unsupported(field, "windowsUnsupported", "Carpel's machines run Linux; leave the field out")
}

private func checkLinux(_ linux: LinuxPodSandboxConfig, at field: String) throws {
    guard !linux.cgroupParent.holdsNUL else { throw CarpelError.invalid("\(field).cgroupParent", "NUL in a path") }
    try checkSysctls(linux.sysctls, at: "\(field).sysctls")
    if let overhead = linux.overhead { try checkResources(overhead, at: "\(field).overhead") }
    if let resources = linux.resources { try checkResources(resources, at: "\(field).resources") }
    guard let context = linux.securityContext else { return }
    let field = "\(field).securityContext"
    try checkSandboxNamespaces(context.namespaceOptions, at: "\(field).namespaceOptions")
    try checkSELinux(context.selinuxOptions, at: "\(field).selinuxOptions")
    try checkUser(context.runAsUser, group: context.runAsGroup, at: field)
    try checkGroups(context.supplementalGroups, at: "\(field).supplementalGroups")
    try checkSeccomp(context.seccomp, deprecated: context.seccompProfilePath, at: field)
    try checkAppArmor(context.apparmor, deprecated: "", at: field)
}

/// 64 bytes are the kernel's HOST_NAME_MAX; labels are RFC 1123's. A fully qualified name is allowed
/// (the kubelet's setHostnameAsFQDN).
func checkHostname(_ hostname: String, at field: String) throws {
    guard hostname.utf8.count <= 64 else {
        throw CarpelError.invalid(
            field, "\(hostname.utf8.count) bytes; a host name has at most 64", reason: "hostnameInvalid")
    }
    for label in hostname.split(separator: ".", omittingEmptySubsequences: false) where !isHostnameLabel(label) {
        throw CarpelError.invalid(
            field, "\"\(hostname)\" is not a host name: each part has 1 to 63 letters, digits and inner hyphens",
            reason: "hostnameInvalid")
    }
}

private func isHostnameLabel(_ label: Substring) -> Bool {
    guard (1...63).contains(label.utf8.count), !label.hasPrefix("-"), !label.hasSuffix("-") else { return false }
    return label.utf8.allSatisfy(\.isHostnameByte)
}

extension UInt8 {
    /// An ASCII letter, a digit or a hyphen.
    var isHostnameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
