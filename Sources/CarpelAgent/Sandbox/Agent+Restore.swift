import CarpelGuestProtocol
import Glibc

extension Agent {
    /// Makes this machine, which was another pod's when its state was saved, the pod's that the host says.
    func restore(_ sandbox: RestoredSandbox) throws(GuestFailure) {
        guard var configuration else {
            throw GuestFailure(.invalidState, "the machine had not been configured when its state was saved")
        }
        try Sandbox.makeUnique(entropy: sandbox.entropy, clock: sandbox.clock)
        (configuration.hostname, configuration.hosts) = (sandbox.hostname, sandbox.hosts)
        (configuration.resolvConf, configuration.sysctls) = (sandbox.resolvConf, sandbox.sysctls)
        configuration.interfaces = sandbox.interfaces.map(\.interface)
        try Sandbox.describe(configuration)
        self.configuration = configuration
        try replace(sandbox.interfaces)
        for (former, id) in sandbox.containers { try rename(former, id) }
    }

    private func rename(_ former: String, _ id: String) throws(GuestFailure) {
        let container = try container(former)
        guard containers[id] == nil else { throw GuestFailure(.alreadyExists, "container \(id) exists") }
        try container.becomeRestored(as: id)
        containers[former] = nil
        containers[id] = container
    }

    /// First all of them are found, then changed: one may get the address that another has had.
    private func replace(_ wanted: [RestoredSandbox.Interface]) throws(GuestFailure) {
        var cards: [(index: Int32, addresses: [String])] = []
        for interface in wanted {
            let former = interface.formerHardwareAddress.lowercased()
            guard let index = NetworkCards.index(of: former) else {
                throw GuestFailure(.notFound, "no network card has the address \(former)")
            }
            cards.append((index, interfaces.removeValue(forKey: former)?.interface.addresses ?? []))
        }
        for (interface, card) in zip(wanted, cards) {
            try NetworkCards.rename(
                card.index, removing: card.addresses, hardwareAddress: interface.interface.hardwareAddress)
        }
        for interface in wanted { try setUp(interface.interface) }
    }
}
