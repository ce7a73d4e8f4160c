import CarpelCore
import Foundation

/// A plugin's folder that was found.
struct DiscoveredPlugin: Sendable {
    let folder: String
    /// What the folder holds, or why it cannot be used.
    let manifest: Result<PluginManifest, CarpelError>

    init(folder: String) {
        self.folder = folder
        manifest = Result { try PluginManifest(folder: folder) }
            .mapError { CarpelError.wrapping($0, during: "read the plugin in \(folder)") }
    }

    /// Of the manifest; of the folder where the manifest cannot be read.
    var name: String { (try? manifest.get().name) ?? (folder as NSString).lastPathComponent }

    /// All folders within `folders`, in their order and then by name. A folder that does not exist holds none.
    static func all(in folders: [String]) -> [DiscoveredPlugin] {
        let files = FileManager.default
        return folders.flatMap { folder in
            ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted()
                .filter { !$0.hasPrefix(".") }
                .map { "\(folder)/\($0)" }
                .filter { path in
                    var isFolder: ObjCBool = false
                    return files.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
                }
                .map(DiscoveredPlugin.init(folder:))
        }
    }
}
