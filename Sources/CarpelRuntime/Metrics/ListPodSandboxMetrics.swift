import CarpelAPI

extension Runtime {
    public nonisolated func listMetricDescriptors(
        _ request: ListMetricDescriptorsRequest
    ) -> ListMetricDescriptorsResponse {
        ListMetricDescriptorsResponse {
            $0.descriptors = usageMetricFamilies.map(\.descriptor) + podMetricFamilies.map(\.descriptor)
        }
    }

    /// Of the pods that are ready, the newest first. One that does not answer is left out.
    public func listPodSandboxMetrics(_ request: ListPodSandboxMetricsRequest) async -> ListPodSandboxMetricsResponse {
        let metrics = await readings(of: Array(pods.values)).map(\.metrics)
        return ListPodSandboxMetricsResponse { $0.podMetrics = metrics }
    }
}

extension PodReading {
    fileprivate var metrics: PodSandboxMetrics {
        let pod = UsageSource(usage: guest.pod)
        let labels = MetricLabels(record)
        return PodSandboxMetrics {
            $0.podSandboxId = record.id
            $0.metrics =
                podMetricFamilies.flatMap { $0.metrics(of: self, labels) }
                + usageMetricFamilies.flatMap { $0.metrics(of: pod, labels) }
            $0.containerMetrics = containers.map { container, stats in
                ContainerMetrics {
                    let source = UsageSource(
                        usage: stats.usage, writableLayer: stats.writableLayer, record: container)
                    let labels = MetricLabels(container, in: record)
                    $0.containerId = container.id
                    $0.metrics = usageMetricFamilies.flatMap { $0.metrics(of: source, labels) }
                }
            }
        }
    }
}
