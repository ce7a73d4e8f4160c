import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import CarpelPluginSDK

extension Runtime {
    /// Puts a running pod on one more network. A repetition gets the same attachment.
    public func attachNetwork(_ request: AttachNetworkRequest) async throws -> AttachNetworkResponse {
        guard let network = request.network else { throw CarpelError.missing("network") }
        try checkNetwork(network, at: "network")
        guard let plugin = try plugin(of: network, plugins: environment.configuration.networks, at: "network") else {
            throw CarpelError.invalid("network.name", "the network has no plugin", reason: "networkUnknown")
        }
        let pod = try requirePod(request.podSandboxId)
        let attached = try await detachedFromCaller { try await pod.attach(network, plugin: plugin) }
        return AttachNetworkResponse {
            $0.attachment = NetworkAttachmentInfo(attached, podID: pod.id)
        }
    }

    public func detachNetwork(_ request: DetachNetworkRequest) async throws -> EmptyResponse {
        guard !request.interfaceName.isEmpty else { throw CarpelError.missing("interfaceName") }
        let pod = try requirePod(request.podSandboxId)
        try await detachedFromCaller { try await pod.detach(interface: request.interfaceName) }
        return EmptyResponse()
    }
}

extension PodSandbox {
    func attach(_ network: PodNetwork, plugin: String) async throws -> AttachedNetwork {
        try await serialisingDevices { try await self.attachOrUndo(network, plugin: plugin) }
    }

    private func attachOrUndo(_ network: PodNetwork, plugin: String) async throws -> AttachedNetwork {
        let running = try running()
        let identity = podIdentity(of: record.config, id: id)
        let wanted = AttachedNetwork(
            plugin: plugin, request: networkRequest(network, at: firstFreeIndex(for: network), for: identity))
        if let present = record.networks.first(where: {
            $0.request.interfaceName == wanted.request.interfaceName
        }) {
            guard present.plugin == plugin, present.request == wanted.request else {
                throw CarpelError(
                    .alreadyExists, "interfaceNameTaken",
                    "the pod has an interface \(wanted.request.interfaceName) on the network "
                        + "\(present.request.network); name another", field: "network.interfaceName")
            }
            return present
        }
        var undo = UndoStack()
        do {
            undo.push("the network \(wanted.request.network)") {
                try await self.delete(wanted)
                try await self.updateRecord { _ in }
            }
            try await updateRecord { $0.networks.append(wanted) }
            try await add(wanted)
            try await updateRecord { _ in }
            guard let attached = record.networks.first(where: { $0.request == wanted.request }),
                let attachment = attached.attachment, let interface = attached.guestInterface
            else { throw CancellationError() }
            undo.push("the card \(attachment.macAddress)") {
                try await running.machine.detach(macAddress: attachment.macAddress)
            }
            try await running.machine.attach(InterfaceSpec(attachment))
            try await translated("set up the card") { try await running.guest.ask(.configureInterfaces([interface])) }
            return attached
        } catch {
            let leftovers = await undo.unwind()
            if !leftovers.isEmpty {
                logger.error("a failed attachment left something behind", metadata: ["leftovers": "\(leftovers)"])
            }
            throw CarpelError.wrapping(error, during: "attach the pod to the network")
        }
    }

    /// An interface that the request does not name gets the first number that is free, or its own again.
    private func firstFreeIndex(for network: PodNetwork) -> Int {
        let taken = Set(record.networks.map(\.request.interfaceName))
        return (0...taken.count).first { !taken.contains("eth\($0)") } ?? taken.count
    }

    func detach(interface name: String) async throws {
        try await serialisingDevices {
            guard let network = await self.record.networks.first(where: { $0.request.interfaceName == name }) else {
                return
            }
            try await self.detach(network)
        }
    }

    private func detach(_ network: AttachedNetwork) async throws {
        guard record.networks.first?.request != network.request else {
            throw CarpelError(
                .failedPrecondition, "networkIsPods",
                "\(network.request.interfaceName) has the pod's own addresses; it goes with the pod",
                field: "interfaceName")
        }
        if let attachment = network.attachment {
            try await running().machine.detach(macAddress: attachment.macAddress)
        }
        try await delete(network)
        try await updateRecord { _ in }
    }

    /// After a start of the daemon: takes off networks whose attachment was cut short.
    func finishNetworks(of machine: any Machine) async throws {
        let plugged = Set(try await machine.attachedInterfaces())
        for network in record.networks where !plugged.contains(network.attachment?.macAddress.lowercased() ?? "") {
            try await delete(network)
            try await updateRecord { _ in }
        }
    }
}

extension NetworkAttachmentInfo {
    init(_ network: AttachedNetwork, podID: String) {
        self.init()
        podSandboxId = podID
        podName = network.request.pod.name
        podNamespace = network.request.pod.namespace
        self.network = network.request.network
        plugin = network.plugin
        interfaceName = network.request.interfaceName
        portMappings = network.request.portMappings.map(CarpelAPI.PortMapping.init)
        guard let attachment = network.attachment else { return }
        device = attachment.device
        macAddress = attachment.macAddress
        mtu = Int32(attachment.mtu)
        addresses = attachment.addresses.map { configuration in
            PodAddress {
                $0.address = configuration.address
                $0.gateway = configuration.gateway ?? ""
            }
        }
        routes = attachment.routes.map { route in
            PodRoute {
                $0.destination = route.destination
                $0.gateway = route.gateway ?? ""
            }
        }
    }
}

extension CarpelAPI.PortMapping {
    init(_ mapping: CarpelPluginSDK.PortMapping) {
        self.init()
        `protocol` =
            switch mapping.transport {
            case .tcp: .TCP
            case .udp: .UDP
            case .sctp: .SCTP
            }
        hostPort = Int32(mapping.hostPort)
        containerPort = Int32(mapping.containerPort)
        hostIp = mapping.hostIP ?? ""
    }
}
