/// Who a pod is, in CRI's words.
public struct PodIdentity: Codable, Sendable, Hashable {
    /// The sandbox's id: at most 64 letters and digits, never used again.
    public var id: String
    public var name: String
    public var namespace: String
    public var uid: String

    public init(id: String, name: String = "", namespace: String = "", uid: String = "") {
        self.id = id
        self.name = name
        self.namespace = namespace
        self.uid = uid
    }
}

/// A request or answer that says nothing: `{}`.
public struct NoMembers: Codable, Sendable, Hashable {
    public init() {}
}
