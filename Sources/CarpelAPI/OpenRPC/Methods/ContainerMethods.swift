extension MethodDescription {
    static let containers = [
        MethodDescription(
            Methods.createContainer,
            "Makes a container in a pod, whose machine grows where its limits need it; it waits to be started.",
            required: ["podSandboxId", "config"],
            reasons: [.podNotFound, .podNotReady, .imageNotFound, .containerNameTaken],
            example: CreateContainerRequest {
                $0.podSandboxId = ExampleValues.pod
                $0.config = ExampleValues.config
            },
            result: CreateContainerResponse { $0.containerId = ExampleValues.container }),
        MethodDescription(
            Methods.startContainer, "Starts a container's process.", required: ["containerId"],
            reasons: [.containerNotFound, .containerNotCreated, .commandNotFound],
            example: StartContainerRequest { $0.containerId = ExampleValues.container },
            result: EmptyResponse()),
        MethodDescription(
            Methods.containerStatus, "Tells of one container.", required: ["containerId"],
            reasons: [.containerNotFound],
            example: ContainerStatusRequest { $0.containerId = ExampleValues.container },
            result: ContainerStatusResponse {
                $0.status = ContainerStatus {
                    $0.id = ExampleValues.container
                    $0.metadata = ExampleValues.config.metadata
                    $0.state = .CONTAINER_RUNNING
                }
            }),
        MethodDescription(
            Methods.listContainers, "Lists containers.",
            example: ListContainersRequest { $0.filter = ofThePod },
            result: ListContainersResponse {
                $0.containers = [
                    ContainerItem {
                        $0.id = ExampleValues.container
                        $0.state = .CONTAINER_RUNNING
                    }
                ]
            }),
        MethodDescription(
            Methods.streamContainers, "Lists containers in parts.",
            example: StreamContainersRequest { $0.filter = ofThePod }, subscription: "example-containers"),
    ]

    private static let ofThePod = ContainerFilter { $0.podSandboxId = ExampleValues.pod }

    /// Commands and bytes.
    static let streams = [
        MethodDescription(
            Methods.execSync, "Runs a command in a container and answers with what it wrote.",
            required: ["containerId", "cmd"],
            reasons: [.containerNotFound, .containerNotRunning, .commandNotFound],
            example: ExecSyncRequest {
                $0.containerId = ExampleValues.container
                $0.cmd = ["echo", "hello"]
                $0.timeout = 20
            },
            result: ExecSyncResponse { $0.stdout = .init("hello\n".utf8) }),
        MethodDescription(
            Methods.exec, "Prepares a stream to a command in a container.", required: ["containerId", "cmd"],
            reasons: [.containerNotFound, .containerNotRunning],
            example: ExecRequest {
                $0.containerId = ExampleValues.container
                $0.cmd = ["cat"]
                $0.stdin = true
                $0.stdout = true
                $0.stderr = true
            },
            result: ExecResponse { $0.url = ExampleValues.execURL }),
        MethodDescription(
            Methods.attach, "Prepares a stream to a container's own process.", required: ["containerId"],
            reasons: [.containerNotFound, .containerNotRunning],
            example: AttachRequest {
                $0.containerId = ExampleValues.container
                $0.stdout = true
            },
            result: AttachResponse { $0.url = ExampleValues.attachURL }),
        MethodDescription(
            Methods.portForward, "Prepares a stream to a port of a pod.", required: ["podSandboxId"],
            reasons: [.podNotFound, .podNotReady],
            example: PortForwardRequest {
                $0.podSandboxId = ExampleValues.pod
                $0.port = [80]
            },
            result: PortForwardResponse { $0.url = ExampleValues.forwardURL }),
        MethodDescription(
            Methods.openStream, "Turns the connection, after the answer, into the stream that was prepared.",
            required: ["url"], reasons: [.streamNotFound],
            example: OpenStreamRequest { $0.url = ExampleValues.execURL },
            result: EmptyResponse()),
    ]

    static let changes = [
        MethodDescription(
            Methods.updateContainerResources, "Changes what a container may use, while it runs.",
            required: ["containerId"], reasons: [.containerNotFound, .podNotReady],
            example: UpdateContainerResourcesRequest {
                $0.containerId = ExampleValues.container
                $0.linux = LinuxContainerResources { $0.memoryLimitInBytes = 48 * ExampleValues.mebibyte }
            },
            result: EmptyResponse()),
        MethodDescription(
            Methods.updatePodSandboxResources, "Changes the size of a pod's machine; it can grow.",
            required: ["podSandboxId"], reasons: [.podNotFound, .podNotReady],
            example: UpdatePodSandboxResourcesRequest {
                $0.podSandboxId = ExampleValues.pod
                $0.resources = LinuxContainerResources { $0.cpuShares = 2048 }
            },
            result: EmptyResponse()),
        MethodDescription(
            Methods.reopenContainerLog, "Writes on in a new file at a container's log path, after a rotation.",
            required: ["containerId"], reasons: [.containerNotFound, .containerNotRunning],
            example: ReopenContainerLogRequest { $0.containerId = ExampleValues.container },
            result: EmptyResponse()),
        MethodDescription(
            Methods.checkpointPod, "Keeps a pod's machine, memory and disks in a folder; the pod runs on.",
            required: ["podSandboxId", "outputPath", "containerIds"],
            reasons: [
                .podNotFound, .podNotReady, .containerNotFound, .containerNotRunning, .containersIncomplete,
                .hostPathsNotSaved, .pluginVolumesNotSaved, .checkpointFolderNotEmpty, .noSpace,
            ],
            example: CheckpointPodRequest {
                $0.podSandboxId = ExampleValues.pod
                $0.outputPath = ExampleValues.checkpoint
                $0.containerIds = [ExampleValues.container]
            },
            result: EmptyResponse()),
        MethodDescription(
            Methods.checkpointContainer, "Refused: CheckpointPod keeps the whole machine.",
            required: ["containerId", "location"], reasons: [.containerNotFound],
            example: CheckpointContainerRequest {
                $0.containerId = ExampleValues.container
                $0.location = "/var/tmp/container.tar"
            },
            refusedAs: .containerCheckpointUnsupported),
    ]
}
