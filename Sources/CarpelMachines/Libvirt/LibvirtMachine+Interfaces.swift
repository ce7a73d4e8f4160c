import CarpelCore

extension LibvirtMachine {
    func attachedInterfaces() async throws -> [String] {
        let live = try await calls.run("listing the interfaces of machine \(id)", timeout: timeout) { [domain] in
            try domain.live()
        }
        return live.interfaces.sorted { ($0.hotplugSlot ?? 0) < ($1.hotplugSlot ?? 0) }.map(\.macAddress)
    }

    func attach(_ interface: InterfaceSpec) async throws {
        try interface.validate()
        let address = interface.macAddress.lowercased()
        try await deviceOperations.run { [self] in
            try await calls.run("plugging \(interface.tap) into machine \(id)", timeout: timeout) { [domain] in
                let live = try domain.live()
                if let present = live.interfaces.first(where: { $0.macAddress == address }) {
                    guard present.tap != interface.tap else { return }
                    throw CarpelError(
                        .alreadyExists, "macAddressInUse",
                        "the machine's interface on \(present.tap ?? "another tap") has the address \(address)",
                        field: "macAddress")
                }
                try interface.requireTap()
                guard let slot = live.freeHotplugSlot else {
                    throw CarpelError(
                        .resourceExhausted, "noFreePort",
                        "the machine has \(HotplugBus.slots.count) interfaces that were plugged in, and no room for more"
                    )
                }
                let element = interface.element(at: RootBus.address(slot, bus: HotplugBus.number))
                try domain.attach(element.document(), "plugging in \(interface.tap)")
            }
        }
    }

    func detach(macAddress: String) async throws {
        let address = macAddress.lowercased()
        try await deviceOperations.run { [self] in
            let isGone = try await unplug("interface \(address)") { live in
                guard let present = live.interfaces.first(where: { $0.macAddress == address }) else { return nil }
                guard present.hotplugSlot != nil else {
                    throw CarpelError(
                        .failedPrecondition, "interfaceFixed",
                        "the machine was started with interface \(address), and has it to its end")
                }
                return present.document
            }
            guard isGone else {
                throw CarpelError(
                    .unavailable, "interfaceBusy", "the guest does not let go of interface \(address); try again")
            }
        }
    }
}
