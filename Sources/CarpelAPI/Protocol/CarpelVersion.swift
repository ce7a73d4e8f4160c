public enum CarpelVersion {
    public static let runtimeName = "carpel"
    public static let runtime = "0.1.0"
    /// CRI's version, as `runtimeApiVersion`.
    public static let api = "v1"
    /// The kubelet's protocol version that CRI's Version answers with.
    public static let kubelet = "0.1.0"
    public static let defaultSocket = "/run/carpel/carpel.sock"
}
