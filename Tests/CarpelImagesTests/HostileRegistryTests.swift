import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelImages

/// What the store does when a registry lies or breaks.
@Suite struct HostileRegistryTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func pull(
        _ image: TestImage, change: (inout ImagesConfiguration) -> Void = { _ in },
        _ behaviour: @escaping HostileRegistry.Behaviour
    ) async throws -> (registry: HostileRegistry, store: ImageStore, error: CarpelError?) {
        let registry = try await HostileRegistry(["app": image], behaviour)
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name, change: change))
        let error = await failure { try await store.pull("\(registry.name)/app") }
        return (registry, store, error)
    }

    private func nothingIsLeft() throws -> Bool {
        try ["blobs", "ingest", "staging", "disks"].allSatisfy { try scratch.files("images/\($0)").isEmpty }
    }

    @Test func lyingBlobLeavesNothingBehind() async throws {
        let image = try await TestImage.small()
        let (_, store, error) = try await pull(image) { request in
            guard isLayer(request, of: image) else { return nil }
            return .init(body: Array(repeating: 0x58, count: Int(image.layers[0].size)))
        }
        #expect(error?.code == .dataLoss && error?.reason == "digestMismatch")
        #expect(try nothingIsLeft())
        #expect(try await store.list().isEmpty)
    }

    @Test func tooLongAndTooShortBlobsLeaveNothingBehind() async throws {
        let image = try await TestImage.small()
        let right = image.blobs[image.layers[0].digest] ?? []
        for wrong in [right + [0], Array(right.dropLast())] {
            for hidden in [false, true] {
                let (_, _, error) = try await pull(image) { request in
                    isLayer(request, of: image) ? .init(body: wrong, hidesLength: hidden) : nil
                }
                #expect(error?.code == .dataLoss && error?.reason == "sizeMismatch")
                #expect(try nothingIsLeft())
            }
        }
    }

    @Test func lyingManifestIsRefused() async throws {
        let image = try await TestImage.small()
        let registry = try await HostileRegistry(["app": image]) { request in
            request.path.contains("/manifests/") ? .init(body: Array("{\"schemaVersion\":2}".utf8)) : nil
        }
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        let error = await failure { try await store.pull("\(registry.name)/app@\(image.target.digest)") }
        #expect(error?.reason == "digestMismatch")
        #expect(try nothingIsLeft())
    }

    @Test func layerThatUnpacksToSomethingElseIsRefused() async throws {
        var image = try await TestImage.small()
        let other = try await TestImage.small("other", "content")
        // A manifest with the other image's layer and this one's configuration.
        image = try TestImage(image, withLayersOf: other)
        let (_, store, error) = try await pull(image) { _ in nil }
        #expect(error?.code == .dataLoss && error?.reason == "digestMismatch")
        #expect(try nothingIsLeft())
        #expect(try await store.list().isEmpty)
    }

    @Test func brokenDownloadIsContinued() async throws {
        let image = try await TestImage.large(300_000)
        let bytes = image.blobs[image.layers[0].digest] ?? []
        let (registry, _, error) = try await pull(image) { request in
            guard isLayer(request, of: image), request.headers["range"] == nil else { return nil }
            return .init(body: bytes, breaksAfter: 100_000)
        }
        #expect(error == nil)
        // What the client had not read when the connection broke is fetched again.
        let ranges = registry.seen.filter { isLayer($0, of: image) }.map { offset(of: $0) }
        #expect(ranges.count == 2 && ranges[0] == 0 && (1...100_000).contains(ranges[1]))
    }

    @Test func nextPullContinuesWhatAnEarlierOneLeft() async throws {
        let image = try await TestImage.large(300_000)
        let bytes = image.blobs[image.layers[0].digest] ?? []
        let once = { (configuration: inout ImagesConfiguration) in configuration.transfer.attempts = 1 }
        let (_, _, error) = try await pull(image, change: once) { request in
            isLayer(request, of: image) ? .init(body: bytes, breaksAfter: 200_000) : nil
        }
        #expect(error?.code == .unavailable)
        #expect(try scratch.files("images/ingest") == [image.layers[0].digest.hex])

        let (registry, store, second) = try await pull(image, change: once) { _ in nil }
        #expect(second == nil)
        let kept = try #require(registry.seen.last { isLayer($0, of: image) }.map { offset(of: $0) })
        #expect((1...200_000).contains(kept))
        #expect(try await store.list().count == 1)
        #expect(try scratch.files("images/ingest").isEmpty)
    }

    @Test func serverWithoutRangesSendsEverythingAgain() async throws {
        let image = try await TestImage.large(300_000)
        let bytes = image.blobs[image.layers[0].digest] ?? []
        let (registry, _, error) = try await pull(image) { request in
            guard isLayer(request, of: image) else { return nil }
            return .init(body: bytes, breaksAfter: request.headers["range"] == nil ? 100_000 : nil)
        }
        #expect(error == nil)
        #expect(registry.seen.filter { isLayer($0, of: image) }.count == 2)
    }

    @Test func damagedPartialIsDownloadedAgain() async throws {
        let image = try await TestImage.large(300_000)
        try FileManager.default.createDirectory(
            atPath: "\(scratch.path)/images/ingest", withIntermediateDirectories: true)
        _ = try scratch.write("images/ingest/\(image.layers[0].digest.hex)", Array(repeating: 7, count: 1000))
        let (registry, _, error) = try await pull(image) { _ in nil }
        #expect(error == nil)
        #expect(registry.seen.filter { isLayer($0, of: image) }.map { $0.headers["range"] } == ["bytes=1000-", nil])
    }

    @Test func silenceEndsWithATimeout() async throws {
        let image = try await TestImage.large(300_000)
        let bytes = image.blobs[image.layers[0].digest] ?? []
        let (_, _, error) = try await pull(image) {
            $0.transfer.idleTimeoutSeconds = 0.3
            $0.transfer.attempts = 2
        } _: { request in
            isLayer(request, of: image) ? .init(body: bytes, stallsAfter: 10_000) : nil
        }
        #expect(error?.code == .unavailable)
    }

    @Test func passingFailuresAreRetriedAndLastingOnesAreNot() async throws {
        let image = try await TestImage.small()
        let (registry, _, error) = try await pull(image) { _ in .init(status: 503) }
        #expect(error?.code == .unavailable && registry.seen.count == 5)
        let (other, _, missing) = try await pull(image) { _ in .init(status: 404) }
        #expect(missing?.code == .notFound && missing?.reason == "imageNotFound" && other.seen.count == 1)
    }

    @Test func redirectedBlobRequestLosesItsAuthorization() async throws {
        let image = try await TestImage.small()
        let storage = try await HostileRegistry(["app": image])
        let port = storage.port
        let registry = try await HostileRegistry(["app": image]) { request in
            guard request.headers["authorization"] != nil else {
                return .init(status: 401, headers: [("WWW-Authenticate", "Basic realm=\"x\"")])
            }
            guard request.path.contains("/blobs/") else { return nil }
            return .init(status: 307, headers: [("Location", "http://127.0.0.1:\(port)\(request.path)")])
        }
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        _ = try await store.pull("\(registry.name)/app", RegistryCredentials(username: "me", password: "secret"))
        #expect(storage.seen.count == 2)
        #expect(storage.seen.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func tooLargeThingsAreNotFetched() async throws {
        let image = try await TestImage.large(300_000)
        let (registry, _, blob) = try await pull(image) {
            $0.limits.maxBlobBytes = .kibibytes(100)
        } _: { _ in
            nil
        }
        #expect(blob?.code == .resourceExhausted && blob?.reason == "blobTooLarge")
        #expect(!registry.seen.contains { isLayer($0, of: image) })
        let (_, _, manifest) = try await pull(image) {
            $0.limits.maxDocumentBytes = ByteCount(100)
        } _: { _ in
            nil
        }
        #expect(manifest?.reason == "documentTooLarge")
        let (_, _, layers) = try await pull(image) {
            $0.limits.maxLayers = 0
        } _: { _ in
            nil
        }
        #expect(layers?.reason == "tooManyLayers")
        let (_, _, space) = try await pull(image) {
            $0.limits.minimumFreeBytes = .gibibytes(1 << 20)
        } _: { _ in
            nil
        }
        #expect(space?.code == .resourceExhausted && space?.reason == "noSpace")
        #expect(try nothingIsLeft())
    }

    @Test func layerBombLeavesNothingBehind() async throws {
        var tar = TarBuilder()
        tar.add("zeros", .file, Array(repeating: 0, count: 8 << 20))
        let image = try await TestImage([tar], type: MediaType.ociLayerGzip) {
            try await run("/usr/bin/gzip", ["-c"], input: $0)
        }
        let (_, _, error) = try await pull(image) {
            $0.limits.maxUnpackedLayerBytes = .mebibytes(1)
        } _: { _ in
            nil
        }
        #expect(error?.code == .resourceExhausted && error?.reason == "layerTooLarge")
        #expect(try nothingIsLeft())
    }

    @Test func fullDiskIsSaidAndLeavesNothingBehind() async throws {
        let mount = "\(scratch.path)/images"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        try await run("/bin/mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", mount])
        defer { umount2(mount, Int32(MNT_DETACH)) }
        var tar = TarBuilder()
        tar.add("zeros", .file, Array(repeating: 1, count: 8 << 20))
        let image = try await TestImage([tar], type: MediaType.ociLayerGzip) {
            try await run("/usr/bin/gzip", ["-c"], input: $0)
        }
        let (_, _, unpacking) = try await pull(image) { _ in nil }
        #expect(unpacking?.code == .resourceExhausted && unpacking?.reason == "noSpace")
        #expect(try nothingIsLeft())
        let (_, _, download) = try await pull(try await .large(4 << 20)) { _ in nil }
        #expect(download?.code == .resourceExhausted && download?.reason == "noSpace")
        #expect(try nothingIsLeft())
    }
}

// Free functions: a registry outlives its test for a moment, and must not keep its directory.

private func isLayer(_ request: HostileRegistry.Request, of image: TestImage) -> Bool {
    request.path.hasSuffix("/blobs/\(image.layers[0].digest)")
}

/// Where a request's range starts.
private func offset(of request: HostileRegistry.Request) -> Int {
    Int(request.headers["range"]?.dropFirst("bytes=".count).dropLast() ?? "0") ?? -1
}
