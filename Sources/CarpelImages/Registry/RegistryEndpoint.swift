import CarpelCore

/// Where a registry's API is.
struct RegistryEndpoint: Sendable {
    let registry: String
    let configuration: RegistryConfiguration

    init(_ registry: String, _ configuration: ImagesConfiguration) {
        self.registry = registry
        self.configuration = configuration.registries[registry] ?? RegistryConfiguration()
    }

    /// Docker Hub's API does not live at its name.
    private var host: String { registry == "docker.io" ? "registry-1.docker.io" : registry }

    private var base: String { "\(configuration.scheme.rawValue)://\(host)/v2" }

    /// Source: OCI distribution spec, "Pulling manifests", end-3.
    func manifest(_ repository: String, _ tagOrDigest: String) -> String {
        "\(base)/\(repository)/manifests/\(tagOrDigest)"
    }

    /// Source: OCI distribution spec, "Pulling blobs", end-2.
    func blob(_ repository: String, _ digest: Digest) -> String { "\(base)/\(repository)/blobs/\(digest)" }
}
