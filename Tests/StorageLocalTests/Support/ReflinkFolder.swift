import Foundation
import TestSupport

/// Lends a folder on a file system of its own that shares blocks: xfs in a file, mounted through a loop device.
func withReflinkFolder(bytes: Int64, _ work: (TemporaryFolder) async throws -> Void) async throws {
    let (outer, folder) = (try TemporaryFolder(), try TemporaryFolder())
    try await shell(
        "truncate -s \"$1\" \"$2/xfs\" && mkfs.xfs -q -m reflink=1 \"$2/xfs\" && mount -o loop \"$2/xfs\" \"$3\" "
            + "&& chmod 711 \"$3\"",
        String(bytes), outer.path, folder.path)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await work(folder)) } catch { outcome = .failure(error) }
    // A process that another test is just starting may still have inherited a file of it.
    try await eventually("nothing in \(folder.path) is open") {
        (try? await shell("umount \"$1\"", folder.path)) != nil
    }
    try outcome.get()
}
