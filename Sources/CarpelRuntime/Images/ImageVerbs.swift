import CarpelAPI
import CarpelCore
import CarpelImages
import Foundation
import Synchronization

extension Runtime {
    /// - Parameter progress: called with the state of all layers whenever it changes.
    public func pullImage(
        _ request: PullImageRequest, progress: @escaping @Sendable (PullProgressNotification) -> Void
    ) async throws -> PullImageResponse {
        let reference = try required(request.image, "image")
        defer { environment.events.markStale(.IMAGE) }
        let tracker = PullTracker(image: reference, report: progress)
        let image = try await images.pull(reference, credentials: request.auth.map(RegistryCredentials.init)) { layer in
            tracker.note(layer)
        }
        return PullImageResponse { $0.imageRef = image.id }
    }

    public func listImages(_ request: ListImagesRequest) async throws -> ListImagesResponse {
        let wanted = request.filter?.image?.image ?? ""
        let found = wanted.isEmpty ? try await images.list() : try await images.image(wanted).map { [$0] } ?? []
        return ListImagesResponse { $0.images = found.map(ImageItem.init) }
    }

    public func imageStatus(_ request: ImageStatusRequest) async throws -> ImageStatusResponse {
        guard let image = try await images.image(try required(request.image, "image")) else {
            return ImageStatusResponse()
        }
        return try ImageStatusResponse {
            $0.image = ImageItem(image)
            if request.verbose { $0.info = try image.info() }
        }
    }

    /// An image that is not there is removed already. The disks under existing containers stay.
    public func removeImage(_ request: RemoveImageRequest) async throws -> EmptyResponse {
        let reference = try required(request.image, "image")
        guard environment.store.unreadable.isEmpty else {
            throw CarpelError(
                .failedPrecondition, "recordsUnreadable",
                "records of this node cannot be read, so it is not known which disks are in use; see Status")
        }
        defer { environment.events.markStale(.IMAGE) }
        try await images.remove(reference, inUse: await layersInUse())
        return EmptyResponse()
    }

    /// Diff ids of every layer that a container of this node stands on.
    func layersInUse() async -> Set<String> {
        var inUse: Set<String> = []
        for pod in pods.values { inUse.formUnion(await pod.layersInUse) }
        return inUse
    }

    public func imageFsInfo(_ request: ImageFsInfoRequest) async throws -> ImageFsInfoResponse {
        let usage = try await images.usage()
        let filesystem = FilesystemUsage {
            $0.timestamp = now()
            $0.fsId = FilesystemIdentifier { $0.mountpoint = usage.mountpoint }
            $0.usedBytes = UInt64Value { $0.value = UInt64(clamping: usage.used.bytes) }
            $0.inodesUsed = UInt64Value { $0.value = UInt64(clamping: usage.inodes) }
        }
        return ImageFsInfoResponse { $0.imageFilesystems = [filesystem] }
    }

    public func importImage(_ request: ImportImageRequest) async throws -> ImportImageResponse {
        let path = try absolute(request.path)
        defer { environment.events.markStale(.IMAGE) }
        let imported = try await images.importArchive(path, name: request.name.isEmpty ? nil : request.name)
        return ImportImageResponse { $0.images = imported.map(ImageItem.init) }
    }

    public func exportImage(_ request: ExportImageRequest) async throws -> EmptyResponse {
        try await images.export(try required(request.image, "image"), to: try absolute(request.path))
        return EmptyResponse()
    }

    private func required(_ spec: ImageSpec?, _ field: String) throws -> String {
        guard let image = spec?.image, !image.isEmpty else { throw CarpelError.missing("\(field).image") }
        return image
    }

    private func absolute(_ path: String) throws -> String {
        guard path.hasPrefix("/") else {
            throw CarpelError(.invalidArgument, "pathNotAbsolute", "path must be absolute on the node", field: "path")
        }
        return path
    }
}

/// Collects the layers of a pull into one picture.
private final class PullTracker: Sendable {
    private let layers: Mutex<(order: [String], progress: [String: LayerProgress])>
    private let image: String
    private let report: @Sendable (PullProgressNotification) -> Void

    init(image: String, report: @escaping @Sendable (PullProgressNotification) -> Void) {
        self.image = image
        self.report = report
        layers = Mutex(([], [:]))
    }

    func note(_ layer: PullProgress) {
        let all = layers.withLock { layers in
            if layers.progress[layer.digest] == nil { layers.order.append(layer.digest) }
            layers.progress[layer.digest] = LayerProgress {
                $0.digest = layer.digest
                $0.phase = layer.phase.rawValue
                $0.bytesDone = UInt64(clamping: layer.done.bytes)
                $0.bytesTotal = UInt64(clamping: layer.total.bytes)
            }
            return layers.order.compactMap { layers.progress[$0] }
        }
        report(
            PullProgressNotification {
                $0.image = image
                $0.layers = all
            })
    }
}

extension RegistryCredentials {
    fileprivate init(_ auth: AuthConfig) {
        self.init(
            username: auth.username, password: auth.password, auth: auth.auth, serverAddress: auth.serverAddress,
            identityToken: auth.identityToken, registryToken: auth.registryToken)
    }
}

extension ImageItem {
    init(_ image: Image) {
        self.init()
        id = image.id
        repoTags = image.repoTags
        repoDigests = image.repoDigests
        size = UInt64(clamping: image.size.bytes)
        spec = ImageSpec { $0.image = image.id }
        let user = image.config.user.prefix { $0 != ":" }
        if let number = Int64(user) { uid = Int64Value { $0.value = number } } else { username = String(user) }
    }
}

extension Image {
    /// JSON texts by name.
    fileprivate func info() throws -> [String: String] {
        [
            "config": try jsonText(config),
            "layers": try jsonText(layers.map(\.diffID)),
            "platform": try jsonText(platform),
            "created": try jsonText(created ?? ""),
        ]
    }
}
