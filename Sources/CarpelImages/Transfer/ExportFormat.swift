/// How an image leaves the store.
public enum ExportFormat: String, Codable, Sendable {
    /// A tar of an OCI image layout.
    case ociArchive
    /// An OCI image layout, as a directory.
    case ociLayout
}
