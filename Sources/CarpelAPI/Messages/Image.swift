public struct ImageSpec: ProtoMessage {
    /// A tag or digest reference, or an image's id.
    @Field public var image: String
    @Field public var annotations: [String: String]
    @Field public var userSpecifiedImage: String
    @Field public var runtimeHandler: String
    @Field public var imageRef: String
    public init() {}
}

public struct ImageFilter: ProtoMessage {
    @Field public var image: ImageSpec?
    public init() {}
}

public struct ListImagesRequest: ProtoMessage {
    @Field public var filter: ImageFilter?
    public init() {}
}

public struct ImageItem: ProtoMessage {
    @Field public var id: String
    @Field public var repoTags: [String]
    @Field public var repoDigests: [String]
    /// Bytes of the compressed layers, the config and the manifest.
    @Field public var size: UInt64
    /// The image's user, if it is a number.
    @Field public var uid: Int64Value?
    /// The image's user, if it is a name.
    @Field public var username: String
    @Field public var spec: ImageSpec?
    @Field public var pinned: Bool
    public init() {}
}

public struct ListImagesResponse: ProtoMessage {
    @Field public var images: [ImageItem]
    public init() {}
}

public struct ImageStatusRequest: ProtoMessage {
    @Field public var image: ImageSpec?
    @Field public var verbose: Bool
    public init() {}
}

public struct ImageStatusResponse: ProtoMessage {
    /// Absent if there is no such image: CRI makes that a success.
    @Field public var image: ImageItem?
    /// With `verbose`: JSON texts by name.
    @Field public var info: [String: String]
    public init() {}
}

public struct AuthConfig: ProtoMessage {
    @Field public var username: String
    @Field public var password: String
    /// Base64 of `username:password`.
    @Field public var auth: String
    @Field public var serverAddress: String
    @Field public var identityToken: String
    @Field public var registryToken: String
    public init() {}
}

public struct PullImageRequest: ProtoMessage {
    @Field public var image: ImageSpec?
    @Field public var auth: AuthConfig?
    @Field public var sandboxConfig: PodSandboxConfig?
    /// Carpel's own: send `PullProgress` notifications on this connection until the answer.
    @Field public var progress: Bool
    public init() {}
}

public struct PullImageResponse: ProtoMessage {
    /// The image's id.
    @Field public var imageRef: String
    public init() {}
}

/// The parameters of a `PullProgress` notification: the state of every layer.
public struct PullProgressNotification: ProtoMessage {
    /// The image as the request named it.
    @Field public var image: String
    @Field public var layers: [LayerProgress]
    public init() {}
}

public struct LayerProgress: ProtoMessage {
    @Field public var digest: String
    /// `waiting`, `downloading`, `unpacking` or `done`.
    @Field public var phase: String
    @Field public var bytesDone: UInt64
    @Field public var bytesTotal: UInt64
    public init() {}
}

public struct RemoveImageRequest: ProtoMessage {
    @Field public var image: ImageSpec?
    public init() {}
}

public struct FilesystemIdentifier: ProtoMessage {
    @Field public var mountpoint: String
    public init() {}
}

public struct FilesystemUsage: ProtoMessage {
    @Field public var timestamp: Int64
    @Field public var fsId: FilesystemIdentifier?
    @Field public var usedBytes: UInt64Value?
    @Field public var inodesUsed: UInt64Value?
    public init() {}
}

public struct ImageFsInfoRequest: ProtoMessage {
    public init() {}
}

public struct ImageFsInfoResponse: ProtoMessage {
    @Field public var imageFilesystems: [FilesystemUsage]
    @Field public var containerFilesystems: [FilesystemUsage]
    public init() {}
}

/// Carpel's own: adds the images of an OCI layout folder, an OCI archive or a `docker save` archive to the store.
public struct ImportImageRequest: ProtoMessage {
    /// Absolute path on the node.
    @Field public var path: String
    /// The name to give to an image that carries none.
    @Field public var name: String
    public init() {}
}

public struct ImportImageResponse: ProtoMessage {
    @Field public var images: [ImageItem]
    public init() {}
}

/// Carpel's own: writes an image as an OCI archive.
public struct ExportImageRequest: ProtoMessage {
    @Field public var image: ImageSpec?
    /// Absolute path on the node; must not exist.
    @Field public var path: String
    public init() {}
}
