import CarpelCore
import Foundation
import Glibc

/// Which names the store's images have: its `index.json`.
///
/// An entry per name; an entry without name keeps an image that has none. A digest is a name as well
/// (`repository@sha256:…`), so that an image whose tag has moved on stays until it is removed.
/// Source: OCI image spec, image-layout.md, "index.json File", and annotations.md.
struct NameIndex: Sendable {
    /// As containerd writes it.
    static let nameAnnotation = "io.containerd.image.name"
    static let referenceAnnotation = "org.opencontainers.image.ref.name"

    private(set) var entries: [Descriptor]

    /// Reads the store's index; an empty one if there is none.
    ///
    /// A file that cannot be read is renamed, to be looked at, and never deleted; see ``setAside(in:)``.
    init(_ content: ContentStore) throws {
        guard FileSystem.exists(content.index) else {
            entries = []
            return
        }
        let bytes = try FileSystem.contents(of: content.index, limit: .gibibytes(1))
        do {
            entries = try JSONDecoder.decode(ImageIndex.self, bytes, what: content.index).manifests
        } catch {
            entries = []
            try FileSystem.move(content.index, to: "\(content.index)\(Self.asideSuffix)-\(time(nil))")
        }
    }

    private static let asideSuffix = ".unreadable"

    /// Indexes that could not be read. While there is one, nobody knows which content is garbage.
    static func setAside(in content: ContentStore) throws -> [String] {
        try FileSystem.names(in: content.root).filter { $0.hasPrefix("index.json\(asideSuffix)") }
            .map { "\(content.root)/\($0)" }
    }

    static func name(of entry: Descriptor) -> String? {
        entry.annotations?[nameAnnotation] ?? entry.annotations?[referenceAnnotation]
    }

    static func entry(_ target: Descriptor, name: String?) -> Descriptor {
        var entry = target
        entry.annotations = name.map { [nameAnnotation: $0, referenceAnnotation: $0] }
        return entry
    }

    /// Gives `target` a name, which any other image loses. Nil only keeps it.
    mutating func set(_ name: String?, to target: Descriptor) {
        guard let name else {
            if !entries.contains(where: { $0.digest == target.digest }) {
                entries.append(Self.entry(target, name: nil))
            }
            return
        }
        entries.removeAll { Self.name(of: $0) == name }
        entries.append(Self.entry(target, name: name))
    }

    mutating func removeAll(where isGone: (Descriptor) -> Bool) { entries.removeAll(where: isGone) }

    func save(_ content: ContentStore) throws {
        try FileSystem.replace(
            content.index, with: JSONEncoder.stable(ImageIndex(manifests: entries)), mode: 0o644,
            temporary: content.temporary())
    }
}
