/// The address of the host that a port mapping listens on.
enum HostAddress: Sendable, Hashable {
    case all
    case every(IPAddress.Family)
    case one(IPAddress)

    /// - Parameter text: an address; `0.0.0.0` and `::` are all of their family; nil or empty: all.
    init?(_ text: String?) {
        guard let text, !text.isEmpty else {
            self = .all
            return
        }
        guard let address = IPAddress(text) else { return nil }
        self = address.value == 0 ? .every(address.family) : .one(address)
    }

    /// - Parameter recorded: a ``description``.
    init(recorded text: String) { self = HostAddress(text) ?? .all }

    var families: [IPAddress.Family] {
        switch self {
        case .all: IPAddress.Family.allCases
        case .every(let family): [family]
        case .one(let address): [address.family]
        }
    }

    /// Whether a packet can be meant for both.
    func overlaps(_ other: HostAddress) -> Bool {
        if case .one(let one) = self, case .one(let another) = other { return one == another }
        return families.contains(where: other.families.contains)
    }
}

extension HostAddress: CustomStringConvertible {
    /// `*`: all.
    var description: String {
        switch self {
        case .all: "*"
        case .every(let family): "\(IPAddress(family, 0))"
        case .one(let address): "\(address)"
        }
    }
}
