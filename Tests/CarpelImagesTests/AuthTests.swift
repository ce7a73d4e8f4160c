import CarpelCore
import Foundation
import Testing

@testable import CarpelImages

@Suite struct AuthTests {
    @Test func bearerChallengeIsRead() {
        let header = #"Bearer realm="https://auth.example/token?x=1",service="r,s",scope="repository:a/b:pull,push""#
        #expect(
            AuthChallenge.parse([header]) == [
                AuthChallenge(
                    scheme: "bearer",
                    parameters: [
                        "realm": "https://auth.example/token?x=1", "service": "r,s",
                        "scope": "repository:a/b:pull,push",
                    ])
            ])
    }

    @Test func severalChallengesInOneLineAreTold() {
        let challenges = AuthChallenge.parse([#"Basic realm="a \"b\"", BEARER Realm = "c" , service=d"#, "Negotiate"])
        #expect(challenges.map(\.scheme) == ["basic", "bearer", "negotiate"])
        #expect(challenges.map(\.parameters) == [["realm": #"a "b""#], ["realm": "c", "service": "d"], [:]])
    }

    @Test(arguments: ["", ",,,", "=", "\"", "Bearer realm=", "Bearer realm=\"open", "Basic =x"])
    func brokenChallengesDoNoHarm(header: String) {
        #expect(AuthChallenge.parse([header]).allSatisfy { $0.parameters.isEmpty })
    }

    @Test func credentialsTakeTheirForms() throws {
        func identity(_ credentials: RegistryCredentials, _ registry: String = "r.example") throws -> RegistryIdentity {
            try RegistryIdentity(credentials, for: registry)
        }
        let auth = Data("me:pass:word".utf8).base64EncodedString()
        #expect(try identity(.init(username: "me", password: "p")) == .basic(username: "me", password: "p"))
        #expect(try identity(.init(auth: auth)) == .basic(username: "me", password: "pass:word"))
        #expect(try identity(.init(username: "me", identityToken: "i")) == .refreshToken("i"))
        #expect(try identity(.init(identityToken: "i", registryToken: "r")) == .bearer("r"))
        #expect(try identity(.init()) == .anonymous)
        #expect(throws: CarpelError.self) { try identity(.init(auth: "no base64!")) }
    }

    @Test func credentialsOfAnotherRegistryStayHome() throws {
        func identity(_ address: String, _ registry: String) throws -> RegistryIdentity {
            try RegistryIdentity(.init(username: "me", serverAddress: address), for: registry)
        }
        #expect(try identity("https://evil.example", "r.example") == .anonymous)
        #expect(try identity("https://r.example/v2/", "r.example") != .anonymous)
        #expect(try identity("r.example", "r.example") != .anonymous)
        #expect(try identity("https://index.docker.io/v1/", "docker.io") != .anonymous)
    }
}
