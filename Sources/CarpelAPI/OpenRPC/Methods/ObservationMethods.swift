extension MethodDescription {
    /// Numbers and news.
    static let observations = [
        MethodDescription(
            Methods.containerStats, "Says what a container uses.", required: ["containerId"],
            reasons: [.containerNotFound],
            example: ContainerStatsRequest { $0.containerId = ExampleValues.container },
            result: ContainerStatsResponse { $0.stats = container }),
        MethodDescription(
            Methods.listContainerStats, "Says what the containers that run use.",
            result: ListContainerStatsResponse { $0.stats = [container] }),
        MethodDescription(
            Methods.streamContainerStats, "Says what the containers that run use, in parts.",
            subscription: "example-container-stats"),
        MethodDescription(
            Methods.podSandboxStats, "Says what a pod and its containers use.", required: ["podSandboxId"],
            reasons: [.podNotFound],
            example: PodSandboxStatsRequest { $0.podSandboxId = ExampleValues.pod },
            result: PodSandboxStatsResponse { $0.stats = pod }),
        MethodDescription(
            Methods.listPodSandboxStats, "Says what the pods use.",
            result: ListPodSandboxStatsResponse { $0.stats = [pod] }),
        MethodDescription(
            Methods.streamPodSandboxStats, "Says what the pods use, in parts.", subscription: "example-pod-stats"),
        MethodDescription(
            Methods.listMetricDescriptors, "Names the metrics and what their labels mean.",
            result: ListMetricDescriptorsResponse {
                $0.descriptors = [
                    MetricDescriptor {
                        $0.name = "container_cpu_usage_seconds_total"
                        $0.labelKeys = ["id"]
                    }
                ]
            }),
        MethodDescription(
            Methods.listPodSandboxMetrics, "Gives every metric of every pod.",
            result: ListPodSandboxMetricsResponse {
                $0.podMetrics = [PodSandboxMetrics { $0.podSandboxId = ExampleValues.pod }]
            }),
        MethodDescription(
            Methods.streamPodSandboxMetrics, "Gives every metric of every pod, in parts.",
            subscription: "example-metrics"),
        MethodDescription(
            Methods.getContainerEvents, "Tells of containers and pods that come, start, stop and go, from now on.",
            subscription: ExampleValues.events),
        MethodDescription(
            Methods.watchNode, "Tells of every change of everything on the node; goes on where a caller left off.",
            reasons: [.revisionGone], subscription: "example-changes"),
        MethodDescription(
            Methods.unsubscribe, "Ends a subscription of this connection. One that has ended is fine.",
            required: ["subscription"],
            example: UnsubscribeRequest { $0.subscription = ExampleValues.events },
            result: EmptyResponse()),
    ]

    private static let container = ContainerStats {
        $0.attributes = ContainerAttributes { $0.id = ExampleValues.container }
        $0.cpu = CpuUsage { $0.usageCoreNanoSeconds = UInt64Value { $0.value = 12_000_000 } }
        $0.memory = MemoryUsage { $0.workingSetBytes = UInt64Value { $0.value = 400_000 } }
    }

    private static let pod = PodSandboxStats {
        $0.attributes = PodSandboxAttributes { $0.id = ExampleValues.pod }
        $0.linux = LinuxPodSandboxStats {
            $0.cpu = CpuUsage { $0.usageCoreNanoSeconds = UInt64Value { $0.value = 900_000_000 } }
            $0.memory = MemoryUsage { $0.workingSetBytes = UInt64Value { $0.value = 60_000_000 } }
        }
    }
}
