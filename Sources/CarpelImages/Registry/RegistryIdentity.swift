import CarpelCore
import Foundation

/// The credentials in the one form that is used for a registry.
enum RegistryIdentity: Sendable, Equatable {
    case anonymous
    case basic(username: String, password: String)
    case refreshToken(String)
    case bearer(String)

    /// - Throws: `.invalidArgument`/`invalidCredentials` if `auth` is not base64 of `username:password`.
    init(_ credentials: RegistryCredentials?, for registry: String) throws {
        guard let credentials, Self.isMeant(credentials.serverAddress, for: registry) else {
            self = .anonymous
            return
        }
        if !credentials.registryToken.isEmpty {
            self = .bearer(credentials.registryToken)
        } else if !credentials.identityToken.isEmpty {
            self = .refreshToken(credentials.identityToken)
        } else if !credentials.username.isEmpty {
            self = .basic(username: credentials.username, password: credentials.password)
        } else if !credentials.auth.isEmpty {
            self = try Self.decode(credentials.auth)
        } else {
            self = .anonymous
        }
    }

    private static func decode(_ auth: String) throws -> RegistryIdentity {
        // Some writers of Docker's configuration pad the password with zeros.
        guard let data = Data(base64Encoded: auth), let text = String(bytes: data, encoding: .utf8),
            let colon = text.firstIndex(of: ":")
        else {
            throw CarpelError(
                .invalidArgument, "invalidCredentials", "auth is not the base64 form of username:password",
                field: "auth.auth")
        }
        let password = text[text.index(after: colon)...].trimmingCharacters(in: CharacterSet(charactersIn: "\0"))
        return .basic(username: String(text[..<colon]), password: password)
    }

    /// The address may be a bare host or, as in Docker's configuration, a URL.
    private static func isMeant(_ address: String, for registry: String) -> Bool {
        guard !address.isEmpty else { return true }
        let rest = address.range(of: "://").map { address[$0.upperBound...] } ?? address[...]
        let host = String(rest.prefix { $0 != "/" })
        let hub = ["index.docker.io", "registry-1.docker.io", "docker.io"]
        return host == registry || hub.contains(host) && hub.contains(registry)
    }
}
