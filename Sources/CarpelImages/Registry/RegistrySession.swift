import AsyncHTTPClient
import CarpelCore
import Foundation
import Logging

/// The requests of one pull from one repository. It remembers what authorisation the registry wanted.
actor RegistrySession {
    nonisolated let reference: ImageReference
    nonisolated let endpoint: RegistryEndpoint
    nonisolated let transfer: TransferConfiguration
    nonisolated let logger: Logger
    private let connection: HTTPConnection
    private let identity: RegistryIdentity
    private var authorization: String?

    init(
        _ reference: ImageReference, connection: HTTPConnection, configuration: ImagesConfiguration,
        credentials: RegistryCredentials?, logger: Logger
    ) throws {
        self.reference = reference
        self.connection = connection
        self.logger = logger
        endpoint = RegistryEndpoint(reference.registry, configuration)
        transfer = configuration.transfer
        identity = try RegistryIdentity(credentials, for: reference.registry)
        if case .bearer(let token) = identity { authorization = "Bearer \(token)" }
    }

    /// The document that a tag or digest names, verified if a digest is known.
    ///
    /// - Returns: its bytes, and the media type that the registry gave it.
    nonisolated func manifest(
        _ tagOrDigest: String, limit: ByteCount
    ) async throws -> (bytes: [UInt8], type: String) {
        let url = endpoint.manifest(reference.repository, tagOrDigest)
        let accept = MediaType.accepted.map { ("Accept", $0) }
        return try await transfer.retrying("manifest of \(reference)", logger: logger) {
            try await withDeadline(
                .seconds(self.transfer.documentTimeoutSeconds), reason: "registryTimeout", "manifest of \(url)"
            ) {
                let response = try await self.get(url, headers: accept)
                guard response.status.code == 200 else {
                    throw RegistryAnswer.error(response.status.code, "manifest of \(self.reference)")
                }
                let bytes = try await RegistryAnswer.collect(response, limit: limit, from: url)
                let expected = try? Digest(tagOrDigest)
                guard expected == nil || expected == Digest(of: bytes) else {
                    throw CarpelError(
                        .dataLoss, "digestMismatch", "\(url) answers with content of digest \(Digest(of: bytes))")
                }
                return (bytes, response.headers.first(name: "Content-Type") ?? "")
            }
        }
    }

    /// Starts reading a blob from `offset` on. The answer may be the whole blob all the same (status 200).
    func blob(_ digest: Digest, from offset: Int64) async throws -> HTTPClientResponse {
        let range = offset > 0 ? [("Range", "bytes=\(offset)-")] : []
        return try await get(endpoint.blob(reference.repository, digest), headers: range)
    }

    /// GET; once more with authorisation if the registry asks for it.
    private func get(_ url: String, headers: [(String, String)]) async throws -> HTTPClientResponse {
        let used = authorization
        let response = try await connection.get(url, headers: headers, authorization: used)
        guard response.status.code == 401 else { return response }
        // Another request may have got a token meanwhile.
        if authorization == used {
            authorization = try await authorize(AuthChallenge.parse(response.headers["WWW-Authenticate"]))
        }
        return try await connection.get(url, headers: headers, authorization: authorization)
    }

    private func authorize(_ challenges: [AuthChallenge]) async throws -> String? {
        if let challenge = challenges.first(where: { $0.scheme == "bearer" }) {
            if case .bearer(let token) = identity { return "Bearer \(token)" }
            let server = TokenServer(connection: connection, registry: endpoint.configuration, transfer: transfer)
            let token = try await withDeadline(
                .seconds(transfer.documentTimeoutSeconds), reason: "registryTimeout", "token for \(reference)"
            ) { [reference, identity] in
                try await server.token(for: challenge, repository: reference.repository, identity: identity)
            }
            return "Bearer \(token)"
        }
        guard challenges.contains(where: { $0.scheme == "basic" }), case .basic(let username, let password) = identity
        else {
            throw CarpelError(
                .unauthenticated, "registryDenied",
                "\(reference.registry) asks for credentials; none that fit were given")
        }
        return TokenServer.basic(username, password)
    }
}
