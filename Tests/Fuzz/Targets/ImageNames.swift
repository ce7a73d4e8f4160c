import CarpelCore

@testable import CarpelImages

extension FuzzTarget {
    /// References, digests and the headers with which registries ask for credentials.
    static let imageNames = FuzzTarget(name: "image-names", maximumLength: 1024) {
        let hex = String(repeating: "0123456789abcdef", count: 4)
        return [
            "busybox", "docker.io/library/busybox:1.36", "[::1]:5000/a/b_c--d:t@sha256:\(hex)", "localhost:5000/a",
            "sha512:\(hex)", hex,
        ].map { [0] + $0.utf8 }
            + [
                #"Bearer realm="https://auth.example/token?a=b",service="r\"x",scope="repository:a/b:pull,push""#,
                "Basic realm=x, Bearer a = b , , c=\"", "Negotiate\nDigest =",
            ].map { [1] + $0.utf8 }
    } run: { bytes in
        var input = Input(bytes)
        let kind = input.byte() & 1
        let text = String(decoding: input.rest, as: UTF8.self)
        if kind == 0 { try checkReference(text) } else { try checkChallenges(text) }
    }

    /// A canonical name names the same image.
    private static func checkReference(_ text: String) throws {
        do {
            _ = try? Digest(text)
            let reference = try ImageReference(text)
            let again = try? ImageReference(reference.description)
            try Finding.require(
                again?.description == reference.description,
                "\(reference.description) is read as \(again?.description ?? "nothing")")
        } catch is CarpelError {
        }
    }

    private static func checkChallenges(_ text: String) throws {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for challenge in AuthChallenge.parse(lines) {
            try Finding.require(!challenge.scheme.isEmpty, "a challenge without a scheme")
        }
    }
}
