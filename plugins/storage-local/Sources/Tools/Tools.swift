import CarpelPluginSDK
import Glibc
import Subprocess
import SystemPackage

/// The programs that make disks: no library does what they do.
struct Tools: Sendable {
    enum Program: String, CaseIterable {
        case mkfsExt4 = "mkfs.ext4"
        case mkfsXFS = "mkfs.xfs"
        case qemuImage = "qemu-img"

        var package: String {
            switch self {
            case .mkfsExt4: "e2fsprogs"
            case .mkfsXFS: "xfsprogs"
            case .qemuImage: "qemu-utils"
            }
        }

        /// - Throws: ``PluginError`` with `toolMissing`.
        func path() throws -> String {
            // Not PATH: the host gives the plugin none that has the sbin folders.
            let paths = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(rawValue)" }
            if let path = paths.first(where: { access($0, X_OK) == 0 }) { return path }
            throw PluginError(
                .failedPrecondition, "toolMissing", "there is no \(rawValue): install Debian's package \(package)")
        }
    }

    /// The pool's lock, which every child holds too: were the plugin killed, the next one waits for its children.
    let lock: Int32

    /// Runs a program to its end; a cancellation kills it.
    ///
    /// - Parameter accepted: the exit codes that mean success.
    /// - Throws: ``PluginError`` with the program's own words; `CancellationError`.
    func run(_ program: Program, _ arguments: [String], accepted: Set<Int32> = [0]) async throws {
        let path = try program.path()
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments),
            environment: .custom(["LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]),
            input: .fileDescriptor(FileDescriptor(rawValue: lock), closeAfterSpawningProcess: false),
            output: .discarded, error: .string(limit: 64 << 10, encoding: UTF8.self))
        try Task.checkCancellation()
        if case .exited(let code) = result.terminationStatus, accepted.contains(Int32(code)) { return }
        throw failure(of: program, arguments, result.terminationStatus, result.standardError)
    }

    private func failure(
        of program: Program, _ arguments: [String], _ status: TerminationStatus, _ output: String
    ) -> PluginError {
        let words = output.split(whereSeparator: \.isNewline).prefix(4).joined(separator: "; ")
        let call = "\(program.rawValue) \(arguments.joined(separator: " ")) (\(status)): \(words)"
        return output.contains("No space left")
            ? PluginError(.resourceExhausted, "noSpace", "no space left in the pool's file system: \(call)")
            : PluginError(.internal, "toolFailed", call)
    }
}
