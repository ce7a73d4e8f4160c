import Foundation

/// The kernel and initramfs of `hack/guest`, where QEMU's unprivileged user can read them: the folders above
/// the repository may be closed to it.
public struct GuestFiles: Sendable {
    public let kernel: String
    public let initramfs: String

    public init(in folder: TemporaryFolder) async throws {
        kernel = "\(folder.path)/vmlinux"
        initramfs = "\(folder.path)/initramfs.cpio"
        try await shell(
            "for file in vmlinux initramfs.cpio; do ln \"$1/$file\" \"$2/\" 2>/dev/null || cp \"$1/$file\" \"$2/\"; done",
            "\(repository)/.build/guest", folder.path)
    }
}

/// The folder that holds Package.swift.
public let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
