import CarpelCore
import Foundation
import Testing

@testable import CarpelImages

/// Bearer tokens, from a token server beside the registry.
@Suite struct TokenTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A registry that wants `token`, which its token server gives to whom `accepts` says.
    private func registry(
        _ image: TestImage, accepts: @escaping @Sendable (HostileRegistry.Request) -> Bool
    ) async throws -> (HostileRegistry, tokens: HostileRegistry) {
        let tokens = try await HostileRegistry([:]) { request in
            accepts(request) ? .init(body: Array(#"{"token":"t0ken"}"#.utf8)) : .init(status: 401)
        }
        let realm = "http://\(tokens.name)/token"
        let registry = try await HostileRegistry(["team/app": image]) { request in
            guard request.headers["authorization"] == "Bearer t0ken" else {
                let challenge = "Bearer realm=\"\(realm)\",service=\"reg\",scope=\"repository:team/app:pull\""
                return .init(status: 401, headers: [("WWW-Authenticate", challenge)])
            }
            return nil
        }
        return (registry, tokens)
    }

    @Test func anonymousPullGetsOneToken() async throws {
        let (registry, tokens) = try await registry(try await .small()) { _ in true }
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        _ = try await store.pull("\(registry.name)/team/app")
        #expect(tokens.seen.count == 1)
        #expect(tokens.seen.first?.query == "scope=repository%3Ateam%2Fapp%3Apull&service=reg")
        #expect(tokens.seen.first?.headers["authorization"] == nil)
    }

    @Test func passwordGoesToTheTokenServerAlone() async throws {
        let basic = "Basic \(Data("me:secret".utf8).base64EncodedString())"
        let (registry, tokens) = try await registry(try await .small()) { $0.headers["authorization"] == basic }
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        let error = await failure { try await store.pull("\(registry.name)/team/app") }
        #expect(error?.code == .unauthenticated && error?.reason == "tokenRefused")
        _ = try await store.pull("\(registry.name)/team/app", RegistryCredentials(username: "me", password: "secret"))
        #expect(tokens.seen.count == 2)
        #expect(registry.seen.allSatisfy { $0.headers["authorization"] != basic })
    }

    @Test func identityTokenIsExchanged() async throws {
        let (registry, tokens) = try await registry(try await .small()) {
            $0.method == "POST" && $0.body.contains("grant_type=refresh_token")
                && $0.body.contains("refresh_token=r%2Be")
        }
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        _ = try await store.pull("\(registry.name)/team/app", RegistryCredentials(identityToken: "r+e"))
        #expect(tokens.seen.count == 1)
    }

    @Test func registryTokenIsSentAsItIs() async throws {
        let (registry, tokens) = try await registry(try await .small()) { _ in false }
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        _ = try await store.pull("\(registry.name)/team/app", RegistryCredentials(registryToken: "t0ken"))
        #expect(tokens.seen.isEmpty)
    }
}
