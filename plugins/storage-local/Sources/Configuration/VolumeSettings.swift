import CarpelPluginSDK

typealias DiskFormat = VolumePublication.DiskFormat

enum FileSystem: String, Codable, Sendable, CaseIterable {
    case ext4, xfs

    /// The least that its mkfs accepts, or makes something useful of.
    var minimumBytes: Int64 {
        switch self {
        case .ext4: 4 << 20
        case .xfs: 300 << 20
        }
    }
}

/// What a volume's file holds, which its copies inherit.
struct VolumeContent: Codable, Sendable, Hashable {
    var mode: VolumeMode
    var format: DiskFormat
    /// nil for a block volume.
    var fileSystem: FileSystem?
}

/// What `parameters` of CreateVolume say.
struct VolumeSettings: Sendable, Hashable {
    var content: VolumeContent
    var limits: DiskLimits?

    /// - Parameter inherited: the content of the volume's source.
    /// - Throws: ``PluginError`` with `.invalidArgument` that names the parameter.
    init(parameters: [String: String], mode: VolumeMode, inherited: VolumeContent? = nil) throws {
        content = VolumeContent(
            mode: mode, format: inherited?.format ?? .raw,
            fileSystem: mode == .filesystem ? inherited?.fileSystem ?? .ext4 : nil)
        var limits = DiskLimits()
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "format": content.format = try Self.choice(name, value)
            case "fsType" where mode == .block:
                throw PluginError(
                    .invalidArgument, "parameterInvalid", "fsType: a block volume has no file system; leave it out")
            case "fsType": content.fileSystem = try Self.choice(name, value) as FileSystem
            case "readBytesPerSecond": limits.readBytesPerSecond = try Self.limit(name, value)
            case "writeBytesPerSecond": limits.writeBytesPerSecond = try Self.limit(name, value)
            case "readOperationsPerSecond": limits.readOperationsPerSecond = try Self.limit(name, value)
            case "writeOperationsPerSecond": limits.writeOperationsPerSecond = try Self.limit(name, value)
            default:
                throw PluginError(
                    .invalidArgument, "parameterUnknown",
                    "there is no parameter \"\(name)\", but \(Self.names.joined(separator: ", "))")
            }
        }
        self.limits = limits == DiskLimits() ? nil : limits
        guard let inherited, inherited != content else { return }
        throw PluginError(
            .invalidArgument, "differsFromSource",
            "a copy has the mode, format and file system of its source: \(inherited.mode.rawValue), "
                + "\(inherited.format.rawValue)\(inherited.fileSystem.map { ", \($0.rawValue)" } ?? "")")
    }

    private static let names = [
        "format", "fsType", "readBytesPerSecond", "writeBytesPerSecond", "readOperationsPerSecond",
        "writeOperationsPerSecond",
    ]

    private static func choice<Value: CaseIterable & RawRepresentable<String>>(
        _ name: String, _ value: String
    ) throws -> Value {
        if let choice = Value(rawValue: value) { return choice }
        let known = Value.allCases.map(\.rawValue).joined(separator: " or ")
        throw PluginError(.invalidArgument, "parameterInvalid", "\(name) must be \(known), and is \"\(value)\"")
    }

    private static func limit(_ name: String, _ value: String) throws -> Int64 {
        if let number = Int64(value), number > 0 { return number }
        throw PluginError(
            .invalidArgument, "parameterInvalid", "\(name) must be a whole number above 0, and is \"\(value)\"")
    }
}

extension VolumePublication.DiskFormat: CaseIterable {
    public static var allCases: [Self] { [.raw, .qcow2] }
}
