/// What says that a domain is Carpel's, and which node's: an element of the domain's metadata.
struct OwnershipMark: Hashable, Sendable {
    static let namespace = "https://carpel.dev/xmlns/domain/1"

    /// The pod's id.
    let id: String
    /// The state directory of the hypervisor that started it.
    let root: String

    var element: DomainElement {
        DomainElement("carpel:pod", ["xmlns:carpel": Self.namespace, "id": id, "root": root])
    }
}
