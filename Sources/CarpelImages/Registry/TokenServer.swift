import AsyncHTTPClient
import CarpelCore
import Foundation

/// Gets bearer tokens.
///
/// Source: the distribution project's "Token Authentication Specification" and "OAuth2 Token Authentication".
struct TokenServer: Sendable {
    let connection: HTTPConnection
    let registry: RegistryConfiguration
    let transfer: TransferConfiguration

    /// - Throws: `.unauthenticated`/`tokenRefused`, or `.failedPrecondition`/`insecureTokenServer` if a password would
    ///   leave an encrypted registry for a token server that is not.
    func token(
        for challenge: AuthChallenge, repository: String, identity: RegistryIdentity
    ) async throws -> String {
        guard let realm = challenge.parameters["realm"], let url = URL(string: realm), url.host != nil else {
            throw CarpelError(.unauthenticated, "tokenRefused", "the registry names no token server (realm)")
        }
        guard url.scheme == "https" || registry.scheme == .http else {
            throw CarpelError(
                .failedPrecondition, "insecureTokenServer", "the registry's token server \(realm) is not encrypted")
        }
        var query = [("scope", challenge.parameters["scope"] ?? "repository:\(repository):pull")]
        if let service = challenge.parameters["service"] { query.append(("service", service)) }

        let response: HTTPClientResponse
        switch identity {
        case .refreshToken(let token):
            query += [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "carpel")]
            response = try await connection.post(realm, form: query)
        case .basic(let username, let password):
            query.append(("account", username))
            response = try await get(realm, query, Self.basic(username, password))
        case .anonymous, .bearer:
            response = try await get(realm, query, nil)
        }
        return try await read(response, from: realm)
    }

    static func basic(_ username: String, _ password: String) -> String {
        "Basic \(Data("\(username):\(password)".utf8).base64EncodedString())"
    }

    private func get(
        _ realm: String, _ query: [(String, String)], _ authorization: String?
    ) async throws -> HTTPClientResponse {
        let separator = realm.contains("?") ? "&" : "?"
        let url = realm + separator + HTTPConnection.query(query)
        return try await connection.get(url, headers: [], authorization: authorization)
    }

    private func read(_ response: HTTPClientResponse, from realm: String) async throws -> String {
        struct Answer: Decodable {
            var token: String?
            var access_token: String?
        }
        guard response.status.code == 200 else {
            throw RegistryAnswer.error(response.status.code, "token server \(realm)", reason: "tokenRefused")
        }
        let bytes = try await RegistryAnswer.collect(response, limit: .mebibytes(1), from: realm)
        let answer = try JSONDecoder.decode(Answer.self, bytes, what: "the answer of token server \(realm)")
        guard let token = answer.token.nonEmpty ?? answer.access_token.nonEmpty else {
            throw CarpelError(.unauthenticated, "tokenRefused", "token server \(realm) answered without a token")
        }
        return token
    }
}
