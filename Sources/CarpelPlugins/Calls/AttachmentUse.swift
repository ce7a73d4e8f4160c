/// What a pod has from a plugin: an interface on a network, or a volume.
struct AttachmentUser: Hashable, Sendable {
    private let parts: [String]

    init(of parts: [String]) { self.parts = parts }
}

/// What a call does to attachments, which decides the version of the plugin that it goes to.
enum AttachmentUse: Sendable {
    /// Nothing: the newest version serves it.
    case none
    /// Makes one, by the newest version, or by the one that has made it already.
    case takes(AttachmentUser)
    case uses(AttachmentUser)
    /// Ends one, after which its version may go.
    case gives(AttachmentUser)
    /// Ends all for which the function is true.
    case givesAll(@Sendable (AttachmentUser) -> Bool)
}
