import AsyncHTTPClient
import CarpelCore
import NIOCore

/// What the answers of registries and token servers mean.
enum RegistryAnswer {
    /// Source: OCI distribution spec, "Error Codes".
    static func error(_ status: UInt, _ what: String, reason: String? = nil) -> CarpelError {
        switch status {
        case 401, 403:
            CarpelError(
                .unauthenticated, reason ?? "registryDenied",
                "\(what): access denied (\(status)); check the credentials and the repository's name")
        case 404:
            CarpelError(.notFound, reason ?? "imageNotFound", "\(what): not found; check name and tag")
        case 408, 429, 500, 502, 503, 504:
            CarpelError(.unavailable, reason ?? "registryUnavailable", "\(what): the server answered \(status)")
        default:
            CarpelError(.internal, reason ?? "unexpectedAnswer", "\(what): the server answered \(status)")
        }
    }

    /// The whole body of a small answer.
    static func collect(_ response: HTTPClientResponse, limit: ByteCount, from url: String) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await chunk in response.body {
                guard bytes.count + chunk.readableBytes <= limit.bytes else {
                    throw CarpelError(
                        .resourceExhausted, "documentTooLarge", "\(url) answers with more than \(limit)")
                }
                bytes.append(contentsOf: chunk.readableBytesView)
            }
        } catch {
            throw HTTPConnection.transportError(error, url)
        }
        return bytes
    }
}
