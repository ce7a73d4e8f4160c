extension MethodDescription {
    static let pods = [
        MethodDescription(
            Methods.runPodSandbox, "Starts a pod, without containers, and answers when it is ready.",
            required: ["config"],
            reasons: [.podNameTaken, .runtimeHandlerUnknown, .agentSilent, .machineEnded, .noSpace],
            example: RunPodSandboxRequest { $0.config = ExampleValues.sandbox("web") },
            result: RunPodSandboxResponse { $0.podSandboxId = ExampleValues.pod }),
        MethodDescription(
            Methods.podSandboxStatus, "Tells of one pod and its containers; with `verbose` how it started.",
            required: ["podSandboxId"], reasons: [.podNotFound],
            example: PodSandboxStatusRequest { $0.podSandboxId = ExampleValues.pod },
            result: PodSandboxStatusResponse {
                $0.status = PodSandboxStatus {
                    $0.id = ExampleValues.pod
                    $0.metadata = ExampleValues.sandbox("web").metadata
                }
            }),
        MethodDescription(
            Methods.listPodSandbox, "Lists pods, the youngest first.",
            example: ListPodSandboxRequest { $0.filter = web },
            result: ListPodSandboxResponse { $0.items = [PodSandboxItem { $0.id = ExampleValues.pod }] }),
        MethodDescription(
            Methods.streamPodSandboxes, "Lists pods in parts.",
            example: StreamPodSandboxesRequest { $0.filter = web }, subscription: "example-pods"),
    ]

    private static let web = PodSandboxFilter { $0.labelSelector = ["app": "web"] }

    static let networks = [
        MethodDescription(
            Methods.listNetworks, "Lists the networks and which pods are on them.",
            result: ListNetworksResponse { $0.networks = [NetworkInfo { $0.name = "backend" }] }),
        MethodDescription(
            Methods.attachNetwork, "Puts a pod that runs on one more network.", required: ["podSandboxId", "network"],
            reasons: [.podNotFound, .podNotReady, .networkDisabled],
            example: AttachNetworkRequest {
                $0.podSandboxId = ExampleValues.pod
                $0.network = PodNetwork {
                    $0.name = "backend"
                    $0.interfaceName = "eth1"
                }
            },
            result: AttachNetworkResponse {
                $0.attachment = NetworkAttachmentInfo {
                    $0.podSandboxId = ExampleValues.pod
                    $0.interfaceName = "eth1"
                }
            }),
        MethodDescription(
            Methods.detachNetwork, "Takes a pod off a network. A card that is not there is fine.",
            required: ["podSandboxId", "interfaceName"], reasons: [.podNotFound, .podNotReady],
            example: DetachNetworkRequest {
                $0.podSandboxId = ExampleValues.pod
                $0.interfaceName = "eth1"
            },
            result: EmptyResponse()),
    ]

    /// What ends things, and what makes them anew.
    static let ends = [
        MethodDescription(
            Methods.stopContainer, "Asks a container's process to end, and kills it after `timeout` seconds.",
            required: ["containerId"],
            example: StopContainerRequest { $0.containerId = ExampleValues.container },
            result: EmptyResponse()),
        MethodDescription(
            Methods.removeContainer, "Stops a container if need be and forgets it. One that is not there is fine.",
            required: ["containerId"],
            example: RemoveContainerRequest { $0.containerId = ExampleValues.container },
            result: EmptyResponse()),
        MethodDescription(
            Methods.stopPodSandbox, "Ends a pod's containers and machine. A pod that is not there is fine.",
            required: ["podSandboxId"],
            example: StopPodSandboxRequest { $0.podSandboxId = ExampleValues.pod },
            result: EmptyResponse()),
        MethodDescription(
            Methods.removePodSandbox, "Stops a pod if need be and forgets it. One that is not there is fine.",
            required: ["podSandboxId"],
            example: RemovePodSandboxRequest { $0.podSandboxId = ExampleValues.pod },
            result: EmptyResponse()),
        MethodDescription(
            Methods.restorePod, "Makes a pod from a checkpoint; its containers wait to be started.",
            required: ["checkpointPath", "config", "containerConfigs"],
            reasons: [
                .podNameTaken, .checkpointDamaged, .checkpointMismatch, .checkpointOfOtherNode, .imagesMissing,
                .noSpace,
            ],
            example: RestorePodRequest {
                $0.checkpointPath = ExampleValues.checkpoint
                $0.config = ExampleValues.sandbox("web")
                $0.containerConfigs = [ExampleValues.config]
            },
            result: RestorePodResponse {
                $0.podSandboxId = ExampleValues.restoredPod
                $0.restoredContainers = [
                    RestoredContainer {
                        $0.name = "main"
                        $0.containerId = ExampleValues.restoredContainer
                    }
                ]
            }),
        MethodDescription(
            Methods.runPod, "Starts a pod and its containers, all of them or nothing.",
            required: ["config", "containerConfigs"],
            reasons: [
                .podNameTaken, .runtimeHandlerUnknown, .imageNotFound, .commandNotFound, .agentSilent, .machineEnded,
                .noSpace,
            ],
            example: RunPodRequest {
                $0.config = ExampleValues.sandbox("once")
                $0.containerConfigs = [ExampleValues.config]
            },
            result: RunPodResponse {
                $0.podSandboxId = ExampleValues.oncePod
                $0.containerIds = [ExampleValues.onceContainer]
            }),
    ]
}
