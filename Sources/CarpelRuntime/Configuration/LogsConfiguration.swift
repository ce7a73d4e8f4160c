import CarpelCore

/// The logs that Carpel rotates itself: those of containers for which CRI named no file.
public struct LogsConfiguration: Codable, Sendable {
    /// A file that would grow beyond this is rotated before the next piece of output, which is in one file even if it
    /// is longer by itself.
    public var maximumSize = ByteCount.mebibytes(10)
    /// How many files a container's log has, the one that is written included.
    public var maximumFiles = 5

    public init() {}

    var rotation: LogRotation { LogRotation(maximumSize: maximumSize, maximumFiles: maximumFiles) }

    private enum CodingKeys: String, CodingKey { case maximumSize, maximumFiles }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        maximumSize = try values.decodeIfPresent(ByteCount.self, forKey: .maximumSize) ?? maximumSize
        maximumFiles = try values.decodeIfPresent(Int.self, forKey: .maximumFiles) ?? maximumFiles
        guard maximumSize.bytes >= 1 << 10, (1...1000).contains(maximumFiles) else {
            throw CarpelError(
                .invalidArgument, "configurationInvalid",
                "logs: maximumSize is 1 KiB at least, and maximumFiles is between 1 and 1000", field: "logs")
        }
    }
}
