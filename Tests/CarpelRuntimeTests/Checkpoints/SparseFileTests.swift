import CarpelCore
import Foundation
import TestSupport
import Testing

@testable import CarpelRuntime

@Suite struct SparseFileTests {
    private func opened(_ path: String) -> FileDescriptorBox {
        FileDescriptorBox(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
    }

    private func digest(_ path: String) throws -> String {
        try SparseFile.digest(opened(path), CancellationFlag()).digest
    }

    @Test func aCopyHasTheContentTheHolesAndTheDigest() async throws {
        let folder = try TemporaryFolder()
        let (source, copy, full) = ("\(folder.path)/a", "\(folder.path)/b", "\(folder.path)/c")
        try await shell(
            """
            truncate -s 100M "$1"
            printf begin | dd of="$1" conv=notrunc status=none
            printf middle | dd of="$1" conv=notrunc bs=1 seek=50000001 status=none
            printf end >>"$1"
            cp --sparse=never "$1" "$2"
            """, source, full)
        try SparseFile.copy(opened(source), to: opened(copy), CancellationFlag())
        try await shell("cmp \"$1\" \"$2\" && test $(du -k \"$2\" | cut -f 1) -lt 1000", source, copy)
        #expect(try digest(copy) == digest(source))
        #expect(try digest(full) == digest(source))
    }

    @Test(arguments: ["truncate -s +1", "truncate -s -1", "printf x | dd conv=notrunc bs=1 seek=70000 status=none of="])
    func whatDiffersHasAnotherDigest(change: String) async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/a"
        try await shell("printf begin >\"$1\"; truncate -s 1M \"$1\"", path)
        let before = try digest(path)
        try await shell("\(change)\(change.hasSuffix("=") ? "" : " ")\"$1\"", path)
        #expect(try digest(path) != before)
    }

    @Test func onlyKnownOptionsWithValuesThatMeanSomethingAreTaken() throws {
        #expect(try checkpointTimeout(["timeoutSeconds": "5"]) == .seconds(5))
        #expect(try checkpointTimeout([:]) == .seconds(600))
        for options in [["timeoutSeconds": "0"], ["timeoutSeconds": "soon"], ["other": "1"]] {
            #expect(throws: CarpelError.self) { try checkpointTimeout(options) }
        }
    }
}
