import CarpelCore
import Foundation

@testable import CarpelImages

extension FuzzTarget {
    /// The documents of an image: its index, manifest and configuration, with zero bytes between them.
    static let imageDocuments = FuzzTarget(name: "image-documents", maximumLength: 8192) {
        let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)
        func descriptor(_ type: String, _ more: String = "") -> String {
            "{\"mediaType\":\"\(type)\",\"digest\":\"\(digest)\",\"size\":99\(more)}"
        }
        let layer = descriptor(MediaType.ociLayerGzip)
        let manifest =
            "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociManifest)\",\"config\":\(descriptor(MediaType.ociConfig)),\"layers\":[\(layer)]}"
        let platform = #","platform":{"os":"linux","architecture":"amd64","variant":"v1"},"annotations":{"a":"b"}"#
        let index =
            "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociIndex)\",\"manifests\":[\(descriptor(MediaType.ociManifest, platform))]}"
        let configuration =
            "{\"created\":\"2024-01-01T00:00:00Z\",\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"\(digest)\"]},"
            + #""config":{"User":"1:2","Env":["A=b"],"Entrypoint":["/a"],"Cmd":["b"],"WorkingDir":"/","StopSignal":"SIGQUIT","ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"Labels":{"a":"b"}}}"#
        return [
            [0] + manifest.utf8 + [0] + configuration.utf8,
            [1] + index.utf8 + [0] + manifest.utf8 + [0] + configuration.utf8,
            [2] + manifest.utf8, [3] + index.utf8 + [0] + index.utf8,
        ]
    } run: { bytes in
        var input = Input(bytes)
        let type = input.choice(of: [
            MediaType.ociManifest, MediaType.ociIndex, "", MediaType.dockerList, MediaType.dockerManifest,
        ])
        var documents = input.rest.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)[...]
        let target = Descriptor(mediaType: type, digest: Digest(of: bytes), size: Int64(bytes.count))
        do {
            let stored = try StoredImage(target, name: "i", limits: ImageLimits()) { _ in documents.popFirst() ?? [] }
            try check(stored)
        } catch is CarpelError {
        }
    }

    private static func check(_ stored: StoredImage) throws {
        let image = stored.image(names: ["a:b", "a@\(stored.id)"])
        try Finding.require(image.size.bytes >= 0, "an image of \(image.size)")
        try Finding.require(image.layers.count <= ImageLimits().maxLayers, "an image of \(image.layers.count) layers")
        let config = try JSONEncoder.stable(image.config)
        let again = try JSONDecoder.decode(ImageConfig.self, config, what: "a configuration")
        try Finding.require(again == image.config, "what is written is read as something else")
        _ = try JSONEncoder.stable(stored.manifest)
    }
}
