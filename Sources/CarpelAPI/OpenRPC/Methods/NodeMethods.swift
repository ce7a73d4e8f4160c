extension MethodDescription {
    static let node = [
        MethodDescription(
            Methods.version, "Names the runtime and the versions of what it speaks.",
            result: VersionResponse {
                $0.version = CarpelVersion.kubelet
                $0.runtimeName = CarpelVersion.runtimeName
                $0.runtimeVersion = CarpelVersion.runtime
                $0.runtimeApiVersion = CarpelVersion.api
            }),
        MethodDescription(
            Methods.status, "Says whether the node can run pods; with `verbose` also how it is configured.",
            result: StatusResponse {
                $0.status = RuntimeStatus {
                    $0.conditions = [
                        RuntimeCondition {
                            $0.type = "RuntimeReady"
                            $0.status = true
                        }
                    ]
                }
            }),
        MethodDescription(
            Methods.runtimeConfig, "Says which driver of control groups the kubelet is to use.",
            result: RuntimeConfigResponse { $0.linux = LinuxRuntimeConfiguration { $0.cgroupDriver = .CGROUPFS } }),
        MethodDescription(
            Methods.updateRuntimeConfig, "Takes the node's range of pod addresses, as the kubelet tells it.",
            example: UpdateRuntimeConfigRequest {
                $0.runtimeConfig = RuntimeConfig { $0.networkConfig = NetworkConfig { $0.podCidr = "10.88.0.0/16" } }
            },
            result: EmptyResponse()),
        MethodDescription(
            Methods.doctor, "Checks everything that a pod's start needs on this node, now.",
            result: DoctorResponse {
                $0.checks = [
                    DoctorCheck {
                        $0.name = "kernel"
                        $0.finding = "/usr/lib/carpel/vmlinux"
                    }
                ]
            }),
    ]

    static let plugins = [
        MethodDescription(
            Methods.listPlugins, "Lists every plugin, also those that could not be loaded, with the reason.",
            result: ListPluginsResponse {
                $0.plugins = [
                    PluginInfo {
                        $0.name = "storage-local"
                        $0.kind = .STORAGE
                        $0.state = .READY
                    }
                ]
            }),
        MethodDescription(
            Methods.pluginStatus, "Tells all of one plugin, its manifest and configuration too.",
            required: ["name"], reasons: [.pluginNotFound],
            example: PluginStatusRequest { $0.name = "storage-local" },
            result: PluginStatusResponse { $0.plugin = PluginInfo { $0.name = "storage-local" } }),
        MethodDescription(
            Methods.reloadPlugin, "Starts a plugin's library and manifest as they are on disk now.",
            required: ["name"], reasons: [.pluginNotFound],
            example: ReloadPluginRequest { $0.name = "storage-local" },
            result: ReloadPluginResponse { $0.plugin = PluginInfo { $0.name = "storage-local" } }),
    ]
}
