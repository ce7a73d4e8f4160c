/// Who pulls. Source: CRI, `AuthConfig`, with the same meaning of each field.
public struct RegistryCredentials: Sendable, Equatable {
    public var username = ""
    public var password = ""
    /// `username:password` in base64, in place of the two.
    public var auth = ""
    /// If set, the credentials are for this registry alone.
    public var serverAddress = ""
    /// A refresh token that is exchanged for a bearer token.
    public var identityToken = ""
    /// A bearer token that is sent as it is.
    public var registryToken = ""

    public init(
        username: String = "", password: String = "", auth: String = "", serverAddress: String = "",
        identityToken: String = "", registryToken: String = ""
    ) {
        self.username = username
        self.password = password
        self.auth = auth
        self.serverAddress = serverAddress
        self.identityToken = identityToken
        self.registryToken = registryToken
    }
}
