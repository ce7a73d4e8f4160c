import Foundation
import TestSupport

/// What `hack/guest` has built.
struct GuestFiles {
    let kernel: String
    let initramfs: String
    let manifest: String

    init() throws {
        let tree = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let folder = tree.appending(path: ".build/guest").path
        kernel = "\(folder)/vmlinux"
        initramfs = "\(folder)/initramfs.cpio"
        manifest = "\(folder)/manifest.json"
        for file in [kernel, initramfs, manifest] where !FileManager.default.isReadableFile(atPath: file) {
            throw SupportError("\(file) is missing: run hack/guest first")
        }
    }

    func agentSize() throws -> Int {
        struct Manifest: Decodable {
            struct Agent: Decodable { var bytes: Int }
            var agent: Agent
        }
        return try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: URL(fileURLWithPath: manifest))).agent
            .bytes
    }
}
