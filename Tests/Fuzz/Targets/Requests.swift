import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import Foundation

@testable import CarpelRuntime

extension FuzzTarget {
    /// Every method's parameters: decoded as the server does, validated as the runtime does, and written back.
    static let requests = FuzzTarget(name: "requests", maximumLength: 8192) {
        let complete = try EveryMethod.requests.map {
            try JSONSerialization.data(withJSONObject: example(of: $0.schema), options: .sortedKeys)
        }
        let documented = try MethodDescription.all.map { try JSONEncoder().encode($0.example.params) }
        return (Array(complete.enumerated()) + documented.enumerated()).map { [UInt8($0)] + $1 }
            + sandboxes.map { [method("RunPodSandbox")] + "{\"config\":\($0)}".utf8 }
            + containers.map { [method("CreateContainer")] + "{\"config\":\($0),\"sandboxConfig\":{}}".utf8 }
    } run: { bytes in
        var input = Input(bytes)
        let name = input.choice(of: EveryMethod.names)
        try answer(
            Data("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\(name)\",\"params\":".utf8 + input.rest + "}".utf8))
    }

    private static func method(_ name: String) -> UInt8 { UInt8(EveryMethod.names.firstIndex(of: name) ?? 0) }

    private static let sandboxes = [
        #"{"metadata":{"name":"web","uid":"u","namespace":"default","attempt":1},"hostname":"web.local","logDirectory":"/var/log/p","dnsConfig":{"servers":["10.0.0.1","fe80::1%eth0"],"searches":["a.b"],"options":["ndots:5"]},"portMappings":[{"protocol":"UDP","containerPort":53,"hostPort":5353,"hostIp":"::"}],"labels":{"a":"b"},"annotations":{"kubernetes.io/ingress-bandwidth":"10M"}}"#,
        #"{"metadata":{"name":"WEB_1"},"linux":{"sysctls":{"net.ipv4.ip_forward":"1","net/ipv4/conf/eth0.1/mtu":"9"},"resources":{"cpuQuota":"250000","cpuPeriod":"100000","memoryLimitInBytes":"1073741824","cpusetCpus":"0-1,3","unified":{"memory.high":"max"}},"securityContext":{"namespaceOptions":{"pid":"CONTAINER"},"seccomp":{"profileType":"RuntimeDefault"},"runAsUser":{"value":"5"}}},"carpel":{"networks":[{"name":"n","addresses":["10.0.0.2"],"macAddress":"02:00:00:12:34:56","interfaceName":"net0"}],"volumes":[{"name":"v","emptyDir":{"medium":"MEMORY","sizeLimitBytes":"4096"}}]}}"#,
    ]

    private static let containers = [
        #"{"metadata":{"name":"c"},"image":{"image":"docker.io/library/busybox:latest"},"command":["/bin/sh","-c"],"args":["true"],"workingDir":"/tmp","envs":[{"key":"A","value":"Yg=="}],"logPath":"c/0.log","stdin":true,"tty":true,"stopSignal":"SIGRTMINPLUS3","mounts":[{"containerPath":"/data","hostPath":"/srv","readonly":true,"propagation":"PROPAGATION_HOST_TO_CONTAINER"}]}"#,
        #"{"metadata":{"name":"c"},"image":{"image":"a"},"linux":{"resources":{"cpuShares":"512","memoryLimitInBytes":"1048576","memorySwapLimitInBytes":"-1","oomScoreAdj":"-997","hugepageLimits":[{"pageSize":"2MB","limit":"0"}]},"securityContext":{"capabilities":{"addCapabilities":["NET_ADMIN"],"dropCapabilities":["ALL"]},"runAsUsername":"nobody","runAsGroup":{"value":"9"},"supplementalGroups":["4294967294"],"readonlyRootfs":true,"noNewPrivs":true,"maskedPaths":["/proc/kcore"],"apparmor":{"profileType":"Unconfined"}}}}"#,
    ]
}

/// JSON with each field once, so that their names are in the seeds.
private func example(of schema: ProtoSchema, depth: Int = 0) -> Any {
    switch schema {
    case .string: "a"
    case .bool: true
    case .int32, .uint32, .double: 1
    case .int64, .uint64: "1"
    case .bytes: "YQ=="
    case .enumeration(let names): names.last ?? ""
    case .map: ["k": "v"]
    case .list(let element): depth > 12 ? [] : [example(of: element, depth: depth + 1)]
    case .message(let type):
        depth > 12
            ? [:]
            : Dictionary(type.fields.map { ($0.name, example(of: $0.schema, depth: depth + 1)) }) { first, _ in first }
    }
}

/// - Throws: ``Finding``, and `CarpelError` for a request that is to be refused.
func checkRequest(_ request: some ProtoMessage) throws {
    try checkRoundTrip(request)
    switch request {
    case let request as RunPodSandboxRequest:
        if let config = request.config { try check(sandbox: config) }
    case let request as RunPodRequest:
        if let config = request.config { try check(sandbox: config) }
    case let request as CreateContainerRequest:
        if let config = request.config { try check(config, in: request.sandboxConfig ?? PodSandboxConfig()) }
    case let request as ExecSyncRequest:
        try validate(command: request.cmd, at: "cmd")
    case let request as UpdateContainerResourcesRequest:
        guard let resources = request.linux else { return }
        try checkResources(resources, at: "linux")
        _ = containerResources(resources)
    case let request as AttachNetworkRequest:
        if let network = request.network { try checkNetwork(network, at: "network") }
    case let request as CreateVolumeRequest:
        try checkVolumeName(request.name, at: "name")
    case let request as PullImageRequest:
        _ = try ImageReference(request.image?.image ?? "")
    default: break
    }
}

/// What is written is read as the same.
private func checkRoundTrip<Message: ProtoMessage>(_ message: Message) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = try encoder.encode(message)
    let again: Message
    do { again = try JSONDecoder().decode(Message.self, from: text) } catch {
        throw Finding("what is written cannot be read: \(error)")
    }
    try Finding.require(try encoder.encode(again) == text, "what is written is read as something else")
}

private func check(sandbox config: PodSandboxConfig) throws {
    try validate(sandbox: config)
    _ = fieldsWithoutEffect(of: config)
    _ = try machineSize(
        of: config.linux?.resources ?? LinuxContainerResources(), defaults: (cpus: 1, memory: .mebibytes(256)))
    _ = try networkRequests(of: config, podID: "p", plugins: ["default": "a", "n": "b"])
    _ = guestVolumes(of: config, published: [])
    let configuration = try sandboxConfiguration(
        of: config, scratchDisk: "s", clock: 1, entropy: [UInt8](repeating: 1, count: 32))
    try checkGuestRoundTrip(GuestRequest.configure(configuration))
}

private func check(_ config: ContainerConfig, in sandbox: PodSandboxConfig) throws {
    try validate(container: config, in: sandbox)
    _ = fieldsWithoutEffect(of: config)
    _ = stopSignal(config, image: nil)
    // That would read whatever file of the node the input names.
    guard config.linux?.securityContext?.seccomp?.profileType != .Localhost else { return }
    var image = ImageConfig()
    image.entrypoint = ["/bin/sh"]
    let spec = try containerSpec(id: "c", config: config, sandbox: sandbox, image: image, layers: ["l"])
    try checkGuestRoundTrip(GuestRequest.createContainer(spec))
}
