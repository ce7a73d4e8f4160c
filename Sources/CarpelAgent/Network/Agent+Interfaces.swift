import CarpelGuestProtocol

/// A network card as it was asked for.
struct ConfiguredInterface {
    let interface: SandboxConfiguration.Interface
    /// The kernel's number for it, which no later card gets, not even one of the same address.
    let index: Int32

    var isPresent: Bool { NetworkCards.index(of: interface.hardwareAddress) == index }
}

extension Agent {
    func configure(
        _ wanted: [SandboxConfiguration.Interface], _ done: @escaping (Result<Void, GuestFailure>) -> Void
    ) {
        guard configuration != nil else {
            return done(.failure(GuestFailure(.invalidState, "the machine has not been configured yet")))
        }
        devices.wait(until: { NetworkCards.missing(wanted) }) { [unowned self] missing in
            if let missing { return done(.failure(missing)) }
            do throws(GuestFailure) {
                for interface in wanted { try setUp(interface) }
                done(.success(()))
            } catch {
                done(.failure(error))
            }
        }
    }

    /// Does nothing to a card that has been set up so: its connections would suffer.
    func setUp(_ interface: SandboxConfiguration.Interface) throws(GuestFailure) {
        let address = interface.hardwareAddress.lowercased()
        if let present = interfaces[address], present.interface == interface, present.isPresent { return }
        let index = try NetworkCards.configure(interface)
        interfaces[address] = ConfiguredInterface(interface: interface, index: index)
    }

    func removeInterface(_ hardwareAddress: String) throws(GuestFailure) {
        interfaces[hardwareAddress.lowercased()] = nil
        try NetworkCards.setDown(hardwareAddress)
    }
}
