import CarpelCore
import Foundation
import Synchronization
import Testing

@testable import CarpelImages

/// Pulls from a real registry, filled by skopeo.
@Suite struct RegistryTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func pullBringsAnImageWithItsDisks() async throws {
        let registry = try await RealRegistry()
        var base = TarBuilder()
        base.add("etc/", .directory)
        base.file("etc/release", "one")
        var upper = TarBuilder()
        upper.file("etc/.wh.release", "")
        upper.file("app", "two")
        let config = """
            {"User":"1000:100","Env":["A=b"],"Entrypoint":["/app"],"Cmd":["x"],"WorkingDir":"/w","StopSignal":"SIGQUIT",\
            "ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"Labels":{"l":"v"}}
            """
        let image = try await TestImage([base, upper], config: config, type: MediaType.ociLayerGzip) {
            try await run("/usr/bin/gzip", ["-cn"], input: $0)
        }
        try await registry.push(image, as: "team/app:1.0")
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        let steps = Mutex<[String: [PullProgress]]>([:])
        let pulled = try await store.pull("\(registry.name)/team/app:1.0", credentials: nil) { step in
            steps.withLock { $0[step.digest, default: []].append(step) }
        }

        #expect(pulled.id == image.configDigest.description)
        #expect(pulled.repoTags == ["\(registry.name)/team/app:1.0"])
        #expect(pulled.repoDigests == ["\(registry.name)/team/app@\(image.target.digest)"])
        #expect(pulled.platform == Platform(architecture: Platform.node.architecture, os: "linux"))
        #expect(pulled.layers.map(\.diffID) == image.diffIDs.map(\.description))
        #expect(pulled.config.user == "1000:100" && pulled.config.env == ["A=b"])
        #expect(pulled.config.entrypoint == ["/app"] && pulled.config.cmd == ["x"])
        #expect(pulled.config.exposedPorts == ["80/tcp"] && pulled.config.volumes == ["/data"])
        #expect(pulled.config.stopSignal == "SIGQUIT" && pulled.config.labels == ["l": "v"])
        #expect(pulled.created == "2024-01-02T03:04:05Z")
        for layer in image.layers {
            let phases = steps.withLock { $0[layer.digest.description] }?.map(\.phase)
            #expect(phases?.first == .waiting && phases?.last == .done)
        }

        let disks = try await store.layerDisks(of: pulled)
        #expect(disks.map(\.diffID) == image.diffIDs.map(\.description))
        #expect(disks.allSatisfy { $0.size.bytes % 512 == 0 })
        let lower = try await MountedDisk(disks[0].path)
        let top = try await MountedDisk(disks[1].path)
        #expect(try lower.text("etc/release") == "one" && top.text("app") == "two")
        let attributes = try FileManager.default.attributesOfItem(atPath: disks[0].path)
        #expect(attributes[.posixPermissions] as? Int == 0o644)
        for file in try scratch.files("images/blobs/sha256") {
            let bytes = try Data(contentsOf: URL(filePath: "\(scratch.path)/images/blobs/sha256/\(file)"))
            #expect(Digest(of: bytes).hex == file)
        }
    }

    @Test func storeIsALayoutThatOtherToolsRead() async throws {
        let registry = try await RealRegistry()
        try await registry.push(try await .small(), as: "app:1.0")
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        let image = try await store.pull("\(registry.name)/app:1.0")
        let text = try await run(
            "/usr/bin/skopeo", ["inspect", "--raw", "oci:\(scratch.path)/images:\(image.repoTags[0])"])
        #expect(String(decoding: text, as: UTF8.self).contains(image.layers[0].descriptor.digest.description))
    }

    @Test func passwordIsNeededAndTakenInEveryForm() async throws {
        let registry = try await RealRegistry(protected: true)
        try await registry.push(try await .small(), as: "app:1.0")
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        let name = "\(registry.name)/app:1.0"
        for wrong in [nil, RegistryCredentials(username: "user", password: "wrong")] {
            let error = await failure { try await store.pull(name, wrong) }
            #expect(error?.code == .unauthenticated && error?.reason == "registryDenied")
        }
        let auth = Data("\(RealRegistry.username):\(RealRegistry.password)".utf8).base64EncodedString()
        _ = try await store.pull(
            name, RegistryCredentials(username: RealRegistry.username, password: RealRegistry.password))
        _ = try await store.pull(name, RegistryCredentials(auth: auth, serverAddress: registry.name))
        #expect(try await store.list().count == 1)
    }

    @Test func ownAuthorityIsTrustedIfConfigured() async throws {
        let key = "\(scratch.path)/key.pem"
        let certificate = "\(scratch.path)/cert.pem"
        try await run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            ])
        let registry = try await RealRegistry(certificate: (certificate, key))
        try await registry.push(try await .small(), as: "app:1.0")

        let stranger = try await ImageStore.test(scratch, testConfiguration { $0.transfer.attempts = 1 })
        let error = await failure { try await stranger.pull("\(registry.name)/app:1.0") }
        #expect(error?.code == .unavailable)

        let configuration = testConfiguration {
            $0.registries[registry.name] = RegistryConfiguration(caFile: certificate)
        }
        let store = try await ImageStore.test(scratch, configuration)
        _ = try await store.pull("\(registry.name)/app:1.0")
    }

    @Test func indexGivesThisPlatformOrNamesTheOthers() async throws {
        let registry = try await RealRegistry()
        let other = Platform(architecture: "s390x", os: "linux")
        let mine = try await TestImage.small("mine")
        let foreign = try await TestImage([], platform: other)
        try await registry.push(try TestImage(index: [(other, foreign), (.node, mine)]), as: "app:both")
        try await registry.push(try TestImage(index: [(other, foreign)]), as: "app:foreign")
        try await registry.push(foreign, as: "app:single")
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))

        let image = try await store.pull("\(registry.name)/app:both")
        #expect(image.id == mine.configDigest.description)
        for tag in ["foreign", "single"] {
            let error = await failure { try await store.pull("\(registry.name)/app:\(tag)") }
            #expect(error?.code == .failedPrecondition && error?.reason == "platformUnavailable")
            #expect(error?.message.contains("linux/s390x") == true)
        }
        // The index, not the manifest, is what the tag names.
        #expect(try await store.image(image.repoDigests[0])?.id == image.id)
        #expect(!image.repoDigests[0].hasSuffix(image.manifest.digest.description))
    }

    @Test func movedTagLeavesTheOldImageUnderItsDigest() async throws {
        let registry = try await RealRegistry()
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        try await registry.push(try await .small("a"), as: "app:1.0")
        let old = try await store.pull("\(registry.name)/app:1.0")
        try await registry.push(try await .small("b"), as: "app:1.0")
        let new = try await store.pull("\(registry.name)/app:1.0")

        #expect(new.id != old.id)
        #expect(try await store.image("\(registry.name)/app:1.0")?.id == new.id)
        let left = try #require(try await store.image(old.id))
        #expect(left.repoTags.isEmpty && left.repoDigests == old.repoDigests)
        #expect(try await store.pull(old.repoDigests[0]).id == old.id)
    }

    @Test func unknownImagesAreNotFound() async throws {
        let registry = try await RealRegistry()
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        let error = await failure { try await store.pull("\(registry.name)/nothing:here") }
        #expect(error?.code == .notFound && error?.reason == "imageNotFound")
        #expect(try await store.image("\(registry.name)/nothing:here") == nil)
    }
}
