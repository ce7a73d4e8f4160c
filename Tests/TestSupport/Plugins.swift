import Foundation

/// Copies plugins of this repository, as they were built for the tests, into a folder that carpeld can be given.
///
/// - Returns: the folder of the plugins' folders.
public func installPlugins(_ names: [String], in folder: TemporaryFolder) throws -> String {
    let plugins = "\(folder.path)/plugins"
    for name in names {
        let source = "\(repository)/plugins/\(name)"
        let manifest = try Data(contentsOf: URL(fileURLWithPath: "\(source)/plugin.json"))
        guard let members = try JSONSerialization.jsonObject(with: manifest) as? [String: Any],
            let library = members["library"] as? String
        else { throw SupportError("\(source)/plugin.json names no library") }
        let target = "\(plugins)/\(name)"
        // The plugin's account reads both files.
        try FileManager.default.createDirectory(
            atPath: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        try manifest.write(to: URL(fileURLWithPath: "\(target)/plugin.json"))
        try FileManager.default.copyItem(
            atPath: "\(repository)/.build/debug/\(library)", toPath: "\(target)/\(library)")
    }
    return plugins
}
