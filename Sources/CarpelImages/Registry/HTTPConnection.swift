import AsyncHTTPClient
import CarpelCore
import Foundation
import NIOCore

/// An HTTP client with Carpel's timeouts, shut down with its last reference.
final class HTTPConnection: Sendable {
    private let client: HTTPClient
    private let transfer: TransferConfiguration

    init(_ registry: RegistryConfiguration, _ transfer: TransferConfiguration) {
        var configuration = HTTPClient.Configuration()
        // Followed by `get`, which knows which headers may go along.
        configuration.redirectConfiguration = .disallow
        // Refused is refused: the caller retries, by its own rules.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout = .init(
            connect: .nanoseconds(Int64(transfer.connectTimeoutSeconds * 1e9)),
            read: .nanoseconds(Int64(transfer.idleTimeoutSeconds * 1e9)))
        if let file = registry.caFile {
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.additionalTrustRoots = [.file(file)]
        }
        client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        self.transfer = transfer
    }

    deinit { client.shutdown { _ in } }

    /// GET, following redirects. The Authorization header goes to the first host alone.
    ///
    /// - Throws: `.unavailable` for what may pass, so that the caller may retry.
    func get(_ url: String, headers: [(String, String)], authorization: String?) async throws -> HTTPClientResponse {
        var current = try Self.parse(url)
        for _ in 0...5 {
            var request = HTTPClientRequest(url: current.absoluteString)
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            if let authorization, Self.sameOrigin(current, try Self.parse(url)) {
                request.headers.add(name: "Authorization", value: authorization)
            }
            let response = try await send(request)
            guard [301, 302, 303, 307, 308].contains(response.status.code),
                let location = response.headers.first(name: "Location")
            else { return response }
            guard let next = URL(string: location, relativeTo: current)?.absoluteURL else {
                throw CarpelError(.dataLoss, "invalidRedirect", "\(Self.withoutQuery(url)) redirects to no URL")
            }
            guard next.scheme == "https" || next.scheme == "http" && current.scheme == "http" else {
                throw CarpelError(
                    .failedPrecondition, "insecureRedirect",
                    "\(Self.withoutQuery(url)) redirects to "
                        + "\(Self.withoutQuery(next.absoluteString)), which is not encrypted")
            }
            current = next
        }
        throw CarpelError(.unavailable, "tooManyRedirects", "\(url) redirects more than 5 times")
    }

    /// POST of a form.
    func post(_ url: String, form: [(String, String)]) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: Self.query(form)))
        return try await send(request)
    }

    private func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let wait = transfer.connectTimeoutSeconds + transfer.idleTimeoutSeconds
        do {
            return try await client.execute(request, timeout: .nanoseconds(Int64(wait * 1e9)))
        } catch {
            throw Self.transportError(error, request.url)
        }
    }

    /// What broke on the way, as something that may pass; a cancellation as itself.
    static func transportError(_ error: any Error, _ url: String) -> any Error {
        if Task.isCancelled || error is CancellationError { return CancellationError() }
        if error is CarpelError { return error }
        return CarpelError(
            .unavailable, "registryUnavailable",
            "\(withoutQuery(url)): \(error). "
                + "Check the registry's name, its scheme in the configuration, and the network")
    }

    /// A redirect's query may hold a signature that opens the content for anyone: it stays out of messages.
    private static func withoutQuery(_ url: String) -> Substring { url.prefix { $0 != "?" } }

    static func query(_ items: [(String, String)]) -> String {
        let allowed = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return items.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")"
        }.joined(separator: "&")
    }

    private static func parse(_ text: String) throws -> URL {
        guard let url = URL(string: text), url.host != nil else {
            throw CarpelError(.invalidArgument, "invalidURL", "\"\(text)\" is not a URL")
        }
        return url
    }

    private static func sameOrigin(_ one: URL, _ other: URL) -> Bool {
        one.scheme == other.scheme && one.host == other.host && one.port == other.port
    }
}
