import CarpelCore
import Foundation
import Testing

@testable import CarpelCLI

struct PluginTemplateTests {
    private static let all = PluginTemplate.Kind.allCases.flatMap { kind in
        PluginTemplate.Language.allCases.map { PluginTemplate(kind: kind, language: $0) }
    }

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "carpel-template-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test(arguments: all)
    func thePluginsNameIsWhereTheExamplesWas(template: PluginTemplate) throws {
        let files = template.files(named: "quince")
        let manifest = try JSONValue(text: #require(files["plugin.json"]))
        guard case .object(let members) = manifest else { throw CocoaError(.coderReadCorrupt) }
        #expect(members["name"] == .string("quince"))
        #expect(members["kind"] == .string(template.kind.rawValue))
        #expect(members["library"] == .string("libquince.so"))
        #expect(files["README.md"]?.hasPrefix("# quince\n") == true)
        for (path, text) in files {
            #expect(!path.contains("example"), "\(path)")
            #expect(!text.contains("-example-"), "\(path)")
        }
    }

    @Test(arguments: all)
    func allThatTheBuildNeedsIsInTheFolder(template: PluginTemplate) {
        let files = Set(template.files(named: "quince").keys)
        #expect(files.isSuperset(of: ["Makefile", "README.md", "plugin.json", ".gitignore"]))
        switch template.language {
        case .c:
            #expect(files.isSuperset(of: ["quince.c", "carpel_plugin.h"]))
        case .swift:
            let sources = "CarpelPluginSDK/Sources"
            #expect(
                files.isSuperset(of: [
                    "Package.swift", "Sources/Plugin/Plugin.swift", "CarpelPluginSDK/Package.swift",
                    "\(sources)/CCarpelPlugin/include/carpel_plugin.h",
                    "\(sources)/CarpelPluginSDK/NetworkPlugin.swift",
                    "\(sources)/CarpelPluginSDK/Messages/Storage.swift",
                    "\(sources)/CarpelPluginSDK/Export/Export.swift",
                ]))
            #expect(!files.contains { $0.contains(".docc") })
        }
    }

    @Test func theFilesAreWrittenAsTheyAre() throws {
        try withFolder { parent in
            let template = PluginTemplate(kind: .storage, language: .swift)
            let folder = parent.appending(path: "deep/down/quince")
            try template.write(named: "quince", to: folder)
            for (path, text) in template.files(named: "quince") {
                #expect(try String(contentsOf: folder.appending(path: path), encoding: .utf8) == text)
            }
        }
    }

    @Test func aFolderThatIsThereStaysAsItIs() throws {
        try withFolder { folder in
            let error = #expect(throws: CarpelError.self) {
                try PluginTemplate(kind: .network, language: .c).write(named: "quince", to: folder)
            }
            #expect(error?.code == .alreadyExists)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty)
        }
    }

    @Test(arguments: [
        "", "-", "a-", "-a", "a b", "a/b", "../a", "a_b", "A", "ä", "a.b", "a\n", String(repeating: "a", count: 64),
    ])
    func namesThatNoManifestCanHaveAreRefused(name: String) throws {
        try withFolder { folder in
            let error = #expect(throws: CarpelError.self) {
                try PluginTemplate(kind: .network, language: .c).write(named: name, to: folder.appending(path: "new"))
            }
            #expect(error?.code == .invalidArgument)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty)
        }
    }

    @Test(arguments: ["a", "0", "a-b-0", String(repeating: "a", count: 63)])
    func otherNamesAreFine(name: String) throws {
        try PluginTemplate.check(name)
    }
}
