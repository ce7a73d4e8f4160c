import CarpelCore
import CarpelPluginSDK
import Foundation

/// The networks that there are now: those of the plugin's configuration, then those in files.
struct NetworkConfigurations: Sendable {
    /// The name for whichever network comes first.
    static let defaultName = "default"
    private static let endings: Set<String> = ["conf", "conflist", "json"]

    let given: [JSONValue]
    let folder: String

    /// - Parameter name: a network's name; `default` is the first one of all, in the order of the files' names.
    /// - Throws: `PluginError`, with `.unavailable` if there is no network yet, `.notFound` if there is none of that
    ///   name, `.failedPrecondition` with the file and the member if its configuration is at fault.
    func network(_ name: String) throws -> NetworkConfiguration {
        if name == Self.defaultName { return try first() }
        var faults: [String] = []
        for (index, text) in given.enumerated() {
            let network = try NetworkConfiguration(text, source: Configuration.source(of: index))
            if network.name == name { return network }
        }
        for file in try files() {
            // A file that nobody asked for may be at fault.
            do {
                let network = try read(file)
                if network.name == name { return network }
            } catch let error as PluginError {
                faults.append(error.message)
            }
        }
        let unread = faults.isEmpty ? "" : "; not readable: \(faults.joined(separator: "; "))"
        throw PluginError(.notFound, "networkUnknown", "there is no network \"\(name)\" in \(folder)\(unread)")
    }

    private func first() throws -> NetworkConfiguration {
        if let text = given.first { return try NetworkConfiguration(text, source: Configuration.source(of: 0)) }
        guard let file = try files().first else {
            throw PluginError(
                .unavailable, "networkConfigurationMissing",
                "there is no network in \(folder): put a .conflist there, or install a network add-on that does")
        }
        return try read(file)
    }

    private func files() throws -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch CocoaError.fileReadNoSuchFile {
            return []
        } catch {
            throw PluginError(
                .failedPrecondition, "networkConfigurationUnreadable",
                "cannot list \(folder): \(error.localizedDescription)")
        }
        // By bytes, as every runtime sorts them, whatever the locale.
        return names.filter { Self.endings.contains(($0 as NSString).pathExtension) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { "\(folder)/\($0)" }
    }

    private func read(_ file: String) throws -> NetworkConfiguration {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw PluginError(
                .failedPrecondition, "networkConfigurationUnreadable",
                "cannot read \(file): \(error.localizedDescription)")
        }
        guard let text = try? JSONDecoder().decode(JSONValue.self, from: bytes) else {
            throw PluginError(
                .failedPrecondition, "networkConfigurationInvalid", "\(file): \(bytes.jsonFault) is not JSON")
        }
        return try NetworkConfiguration(text, source: file)
    }
}

extension Data {
    /// Where a text stops being JSON: `line 3, column 5`.
    fileprivate var jsonFault: String {
        // The decoder does not tell, the older parser does, if only in words.
        do {
            _ = try JSONSerialization.jsonObject(with: self, options: .fragmentsAllowed)
        } catch let error as NSError {
            let words = error.userInfo[NSDebugDescriptionErrorKey] as? String ?? ""
            guard let offset = words.split(whereSeparator: { !$0.isNumber }).last.flatMap({ Int($0) }) else {
                return "it"
            }
            let before = prefix(offset)
            let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? startIndex
            return "line \(before.count { $0 == UInt8(ascii: "\n") } + 1), column \(before.endIndex - lineStart + 1)"
        }
        return "it"
    }
}
