import CarpelCore
import Testing

@testable import CarpelImages

@Suite struct ReferenceTests {
    static let digest = "sha256:" + String(repeating: "ab", count: 32)

    @Test(arguments: [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("user/app", "docker.io/user/app:latest"),
        ("index.docker.io/busybox", "docker.io/library/busybox:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/a/b/c:x_Y.z-1", "localhost:5000/a/b/c:x_Y.z-1"),
        ("registry.example/app", "registry.example/app:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        ("10.0.0.1:80/a__b/c--d.e", "10.0.0.1:80/a__b/c--d.e:latest"),
        ("busybox@" + digest, "docker.io/library/busybox@" + digest),
        ("r.example:5000/app:1.0@" + digest, "r.example:5000/app@" + digest),
    ])
    func shortNamesBecomeWhole(text: String, canonical: String) throws {
        let reference = try ImageReference(text)
        #expect(reference.description == canonical)
        #expect(try ImageReference(canonical).description == canonical)
    }

    @Test func tagBesideADigestIsKeptApart() throws {
        let reference = try ImageReference("r.example:5000/app:1.0@" + Self.digest)
        #expect(reference.tag == "1.0" && reference.digest?.description == Self.digest)
        #expect(reference.registry == "r.example:5000" && reference.repository == "app")
    }

    @Test(arguments: [
        "", "Busybox", "a//b", "/a", "a/", "a:", "a:-x", "a b", "https://r.example/app", "a@sha256:12", "a@md5:12",
        "r.example:port/app", "r.example:99999/app", "-r.example/app", "a...b", "a___b", "a-", "_a", "é",
        String(repeating: "ab", count: 32), "a:" + String(repeating: "t", count: 129),
        String(repeating: "n", count: 256),
    ])
    func nonsenseIsRefusedWithAReason(text: String) async {
        let error = await failure { try ImageReference(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.isEmpty == false)
    }

    /// A short name that only just fitted could not be read again once it was whole.
    @Test func aWholeNameFitsToo() async throws {
        let longest = String(repeating: "n", count: 254 - "docker.iolibrary/".utf8.count)
        let reference = try ImageReference(longest)
        #expect(try ImageReference(reference.description) == reference)
        let error = await failure { try ImageReference(longest + "n") }
        #expect(error?.reason == "invalidReference")
    }

    @Test func otherDigestAlgorithmsAreNamed() async {
        let error = await failure { try ImageReference("a@sha512:" + String(repeating: "0", count: 128)) }
        #expect(error?.code == .unimplemented && error?.reason == "unsupportedDigest")
    }
}
