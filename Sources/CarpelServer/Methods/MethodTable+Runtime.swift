import CarpelAPI
import CarpelCore
import CarpelRuntime

extension MethodTable {
    /// Every method of the socket, on `runtime`.
    init(_ runtime: Runtime) {
        add(Methods.version) { request, _ in runtime.version(request) }
        add(Methods.status) { request, _ in try await runtime.status(request) }
        add(Methods.doctor) { request, _ in try await runtime.doctor(request) }

        add(Methods.runtimeConfig) { request, _ in runtime.runtimeConfig(request) }
        add(Methods.updateRuntimeConfig) { request, _ in try await runtime.updateRuntimeConfig(request) }

        add(Methods.getContainerEvents) { request, _ in runtime.getContainerEvents(request) }
        add(Methods.watchNode) { request, _ in try runtime.watchNode(request) }
        add(Methods.unsubscribe) { request, context in
            guard !request.subscription.isEmpty else {
                throw CarpelError(
                    .invalidArgument, "fieldMissing", "subscription is required", field: "subscription")
            }
            await context.subscriptions?.end(request.subscription)
            return EmptyResponse()
        }

        add(Methods.runPodSandbox) { request, _ in try await runtime.runPodSandbox(request) }
        add(Methods.stopPodSandbox) { request, _ in try await runtime.stopPodSandbox(request) }
        add(Methods.removePodSandbox) { request, _ in try await runtime.removePodSandbox(request) }
        add(Methods.podSandboxStatus) { request, _ in try await runtime.podSandboxStatus(request) }
        add(Methods.listPodSandbox) { request, _ in try await runtime.listPodSandbox(request) }
        add(Methods.checkpointPod) { request, _ in try await runtime.checkpointPod(request) }
        add(Methods.restorePod) { request, _ in try await runtime.restorePod(request) }
        add(Methods.checkpointContainer) { request, _ in try await runtime.checkpointContainer(request) }

        add(Methods.streamPodSandboxes, listing: \.podSandboxes) { request, _ in
            try await runtime.listPodSandbox(ListPodSandboxRequest { $0.filter = request.filter }).items
        }

        add(Methods.createContainer) { request, _ in try await runtime.createContainer(request) }
        add(Methods.startContainer) { request, _ in try await runtime.startContainer(request) }
        add(Methods.stopContainer) { request, _ in try await runtime.stopContainer(request) }
        add(Methods.removeContainer) { request, _ in try await runtime.removeContainer(request) }
        add(Methods.containerStatus) { try await runtime.containerStatus($0, for: $1.role) }
        add(Methods.listContainers) { request, _ in try await runtime.listContainers(request) }
        add(Methods.streamContainers, listing: \.containers) { request, _ in
            try await runtime.listContainers(ListContainersRequest { $0.filter = request.filter }).containers
        }
        add(Methods.reopenContainerLog) { request, _ in try await runtime.reopenContainerLog(request) }
        add(Methods.execSync) { request, _ in try await runtime.execSync(request) }

        add(Methods.exec) { request, _ in try await runtime.exec(request) }
        add(Methods.attach) { request, _ in try await runtime.attach(request) }
        add(Methods.portForward) { request, _ in try await runtime.portForward(request) }
        add(Methods.openStream) { request, context in
            guard let opening = context.opening else { throw StreamOpening.notFirst }
            try await opening.open(request, on: runtime)
            return EmptyResponse()
        }
        add(Methods.containerStats) { request, _ in try await runtime.containerStats(request) }
        add(Methods.listContainerStats) { request, _ in try await runtime.listContainerStats(request) }
        add(Methods.streamContainerStats, listing: \.containerStats) { request, _ in
            try await runtime.listContainerStats(ListContainerStatsRequest { $0.filter = request.filter }).stats
        }
        add(Methods.podSandboxStats) { request, _ in try await runtime.podSandboxStats(request) }
        add(Methods.listPodSandboxStats) { request, _ in try await runtime.listPodSandboxStats(request) }
        add(Methods.streamPodSandboxStats, listing: \.podSandboxStats) { request, _ in
            try await runtime.listPodSandboxStats(ListPodSandboxStatsRequest { $0.filter = request.filter }).stats
        }
        add(Methods.listMetricDescriptors) { request, _ in runtime.listMetricDescriptors(request) }
        add(Methods.listPodSandboxMetrics) { request, _ in await runtime.listPodSandboxMetrics(request) }
        add(Methods.streamPodSandboxMetrics, listing: \.podSandboxMetrics) { _, _ in
            await runtime.listPodSandboxMetrics(ListPodSandboxMetricsRequest()).podMetrics
        }
        add(Methods.updateContainerResources) { request, _ in try await runtime.updateContainerResources(request) }
        add(Methods.updatePodSandboxResources) { request, _ in try await runtime.updatePodSandboxResources(request) }

        add(Methods.pullImage) { request, context in
            try await runtime.pullImage(request) { progress in
                if request.progress { context.notify(Notifications.pullProgress, progress) }
            }
        }
        add(Methods.listImages) { request, _ in try await runtime.listImages(request) }
        add(Methods.streamImages, listing: \.images) { request, _ in
            try await runtime.listImages(ListImagesRequest { $0.filter = request.filter }).images
        }
        add(Methods.imageStatus) { request, _ in try await runtime.imageStatus(request) }
        add(Methods.removeImage) { request, _ in try await runtime.removeImage(request) }
        add(Methods.imageFsInfo) { request, _ in try await runtime.imageFsInfo(request) }
        add(Methods.runPod) { request, _ in try await runtime.runPod(request) }
        add(Methods.importImage) { request, _ in try await runtime.importImage(request) }
        add(Methods.exportImage) { request, _ in try await runtime.exportImage(request) }

        add(Methods.listPlugins) { request, _ in await runtime.listPlugins(request) }
        add(Methods.pluginStatus) { request, _ in try await runtime.pluginStatus(request) }
        add(Methods.reloadPlugin) { request, _ in try await runtime.reloadPlugin(request) }

        add(Methods.listNetworks) { request, _ in try await runtime.listNetworks(request) }
        add(Methods.attachNetwork) { request, _ in try await runtime.attachNetwork(request) }
        add(Methods.detachNetwork) { request, _ in try await runtime.detachNetwork(request) }

        add(Methods.createVolume) { request, _ in try await runtime.createVolume(request) }
        add(Methods.removeVolume) { request, _ in try await runtime.removeVolume(request) }
        add(Methods.expandVolume) { request, _ in try await runtime.expandVolume(request) }
        add(Methods.restoreVolume) { request, _ in try await runtime.restoreVolume(request) }
        add(Methods.listVolumes) { request, _ in try await runtime.listVolumes(request) }
        add(Methods.volumeStatus) { request, _ in try await runtime.volumeStatus(request) }
        add(Methods.createVolumeSnapshot) { request, _ in try await runtime.createVolumeSnapshot(request) }
        add(Methods.listVolumeSnapshots) { request, _ in try await runtime.listVolumeSnapshots(request) }
        add(Methods.removeVolumeSnapshot) { request, _ in try await runtime.removeVolumeSnapshot(request) }
    }
}
