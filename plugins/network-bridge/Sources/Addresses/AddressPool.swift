/// The addresses of a subnet that pods can get.
struct AddressPool: Sendable, Hashable {
    let subnet: Subnet
    /// The bridge's own address, and the pods' router.
    let gateway: IPAddress
    /// What is handed out to who asks for no address in particular.
    let range: ClosedRange<UInt128>
    /// What nobody gets.
    let excluded: [ClosedRange<UInt128>]

    /// The first address that may be handed out, in order.
    ///
    /// - Parameter previous: the result is behind it; nil: from the beginning.
    /// - Returns: nil if there is none any more.
    func next(after previous: IPAddress?) -> IPAddress? {
        guard previous?.value != .max else { return nil }
        var candidate = max(range.lowerBound, previous.map { $0.value + 1 } ?? 0)
        while let obstacle = obstacle(at: candidate) {
            guard obstacle.upperBound < range.upperBound else { return nil }
            candidate = obstacle.upperBound + 1
        }
        return range.contains(candidate) ? IPAddress(subnet.family, candidate) : nil
    }

    /// Whether the address may be handed out to who does not ask for it.
    func offers(_ address: IPAddress) -> Bool {
        address.family == subnet.family && range.contains(address.value) && obstacle(at: address.value) == nil
    }

    func excludes(_ address: IPAddress) -> Bool { excluded.contains { $0.contains(address.value) } }

    private func obstacle(at value: UInt128) -> ClosedRange<UInt128>? {
        value == gateway.value ? value...value : excluded.first { $0.contains(value) }
    }
}
