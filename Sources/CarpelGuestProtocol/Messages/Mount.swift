extension ContainerSpec {
    /// Something at a path of the container. Mounts are made in the order in which they are given.
    public struct Mount: Codable, Sendable, Equatable {
        public enum Source: Codable, Sendable, Equatable {
            /// A tmpfs of the container's own, with `options`.
            case memory
            /// A file or directory below the pod's shared folder.
            case shared(path: String)
            /// A directory or file in a volume of the pod, the whole of it if `subPath` is empty. A missing directory
            /// is made unless the volume or the mount is read-only.
            case volume(name: String, subPath: String)
            /// A directory or file of an image: the serials of its EROFS disks, bottom layer first. Always read-only.
            case image(layers: [String], subPath: String)
        }

        public var source: Source
        public var destination: String
        public var readOnly: Bool
        /// What is mounted below the source is read-only too. Needs `readOnly`.
        public var recursivelyReadOnly: Bool
        /// Of a tmpfs, as in fstab(5).
        public var options: [String]

        public init(
            source: Source, destination: String, readOnly: Bool = false, recursivelyReadOnly: Bool = false,
            options: [String] = []
        ) {
            self.source = source
            self.destination = destination
            self.readOnly = readOnly
            self.recursivelyReadOnly = recursivelyReadOnly
            self.options = options
        }
    }
}
