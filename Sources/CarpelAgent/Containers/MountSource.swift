import CarpelGuestProtocol

/// Where in the machine something lies that a container is to have.
struct MountSource {
    /// A directory that `path` cannot leave.
    let root: String
    let path: String
    let how: Steps.Grab
}

extension Agent {
    /// - Parameter images: Where the image of each mount is mounted.
    /// - Returns: Nil for a tmpfs.
    func source(
        of mount: ContainerSpec.Mount, images: [[String]: String]
    ) throws(GuestFailure) -> MountSource? {
        switch mount.source {
        case .memory:
            return nil
        case .shared(let path):
            // Read-only is what the host has bound read-only. Made so here too, what is mounted below it would be as
            // well, since that is mounted on demand and takes after the mount that it is found in.
            let how: Steps.Grab = mount.recursivelyReadOnly ? [.recursive, .readOnly, .allReadOnly] : .recursive
            return MountSource(root: Sandbox.shared, path: try inside(path), how: how)
        case .volume(let name, let subPath):
            guard let volume = volumes[name], volume.isReady, !volume.isBlock else {
                throw GuestFailure(.notFound, "there is no volume \(name) that could be mounted")
            }
            let isReadOnly = mount.readOnly || volume.volume.readOnly
            return MountSource(root: volume.path, path: try inside(subPath), how: isReadOnly ? .readOnly : .make)
        case .image(let layers, let subPath):
            return MountSource(root: images[layers] ?? "", path: try inside(subPath), how: .readOnly)
        }
    }

    /// A path that leads out of where it starts is refused even if it came back, as `a/../b`: which directory `..` is
    /// depends on links.
    private func inside(_ path: String) throws(GuestFailure) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else {
            throw GuestFailure(.invalidArgument, "the path \(path) leads out of its volume")
        }
        return parts.joined(separator: "/")
    }
}

extension ContainerSpec {
    /// The layers of the images that are mounted, each image once.
    var mountedImages: Set<[String]> {
        Set(
            mounts.compactMap { mount in
                if case .image(let layers, _) = mount.source { layers } else { nil }
            })
    }

    /// What of the shared folder is mounted.
    var sharedPaths: [String] {
        mounts.compactMap { mount in
            guard case .shared(let path) = mount.source else { return nil }
            return path.split(separator: "/").joined(separator: "/")
        }
    }

    /// The first parts of ``sharedPaths``.
    var sharedNames: Set<String> { Set(sharedPaths.compactMap { $0.split(separator: "/").first.map(String.init) }) }
}
