import CarpelCore
import Foundation

/// What a manifest request may answer.
enum ImageDocument: Sendable {
    case index(ImageIndex)
    case manifest(ImageManifest)

    /// - Parameter type: the media type of whoever names the document (descriptor, Content-Type). The document's own
    ///   `mediaType` must agree, since the same bytes could otherwise be two things (CVE-2021-41190).
    init(_ bytes: [UInt8], type: String, image: String) throws {
        let shape = try JSONDecoder.decode(Shape.self, bytes, what: "the manifest of \(image)")
        let type = type.prefix { $0 != ";" }.lowercased()
        let known = MediaType.indexes.contains(type) || MediaType.manifests.contains(type)
        if known, let own = shape.mediaType, own != type {
            throw CarpelError(.dataLoss, "mediaTypeMismatch", "\(image) was announced as \(type) but says \(own)")
        }
        let actual = known ? type : shape.mediaType ?? ""
        if shape.schemaVersion == 1 {
            throw CarpelError(
                .unimplemented, "unsupportedManifest",
                "\(image) has a manifest of Docker's schema 1, which is obsolete; push it again with a current tool")
        }
        if MediaType.indexes.contains(actual) || actual.isEmpty && shape.manifests != nil {
            guard shape.layers == nil else { throw Self.ambiguous(image) }
            self = .index(try JSONDecoder.decode(ImageIndex.self, bytes, what: "the index of \(image)"))
        } else if MediaType.manifests.contains(actual) || actual.isEmpty && shape.layers != nil {
            guard shape.manifests == nil else { throw Self.ambiguous(image) }
            self = .manifest(try JSONDecoder.decode(ImageManifest.self, bytes, what: "the manifest of \(image)"))
        } else {
            throw CarpelError(
                .unimplemented, "unsupportedManifest", "\(image) is a \"\(actual)\", no image manifest or index")
        }
    }

    /// Of Docker's or OCI's kind, as the document says; OCI's if it does not.
    var mediaType: String {
        switch self {
        case .index(let index): index.mediaType ?? MediaType.ociIndex
        case .manifest(let manifest): manifest.mediaType ?? MediaType.ociManifest
        }
    }

    private static func ambiguous(_ image: String) -> CarpelError {
        CarpelError(.dataLoss, "mediaTypeMismatch", "\(image) has a document that is both an index and a manifest")
    }

    /// What tells the two apart.
    private struct Shape: Decodable {
        struct Anything: Decodable {
            init(from decoder: any Decoder) {}
        }
        var schemaVersion: Int?
        var mediaType: String?
        var manifests: [Anything]?
        var layers: [Anything]?
    }
}

extension JSONDecoder {
    /// Decodes a document that came from outside. - Throws: `.dataLoss`/`unreadableDocument`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], what: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as CarpelError {
            throw error.during(what)
        } catch {
            throw CarpelError(.dataLoss, "unreadableDocument", "\(what) is not what it should be: \(error)")
        }
    }
}

extension JSONEncoder {
    /// The same value gives the same bytes, so that its digest is stable.
    static func stable(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}
