import ArgumentParser
import CarpelCore
import Foundation

struct DebugBundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Packs all that a maintainer asks for into one archive, without secrets.",
        discussion: """
            Works without a daemon too: what cannot be had is named in the archive's missing.txt.

            Examples:
              carpel debug bundle
              carpel debug bundle -o /tmp/node-7.tar.gz
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The archive; without it carpel-debug-TIME.tar.gz here.", valueName: "file"),
        completion: .file())
    var output: String?

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let name = "carpel-debug-\(Self.time())"
        let archive = URL(fileURLWithPath: output ?? "\(name).tar.gz")
        let work = FileManager.default.temporaryDirectory.appending(path: "carpel-debug-\(UUID().uuidString)")
        let folder = work.appending(path: name)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: work) }
        var bundle = DebugBundle(folder: folder)
        try await bundle.collect(daemon.connect)
        try Self.pack(folder, into: archive)
        Console.out("\(archive.path)\n")
    }

    private static func time() -> String {
        Date().formatted(
            .verbatim(
                "\(year: .defaultDigits)\(month: .twoDigits)\(day: .twoDigits)-\(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased))\(minute: .twoDigits)\(second: .twoDigits)",
                timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
    }

    /// The archive is its maker's alone: no redaction knows every secret.
    private static func pack(_ folder: URL, into archive: URL) throws {
        let mask = umask(0o077)
        defer { umask(mask) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "tar", "--create", "--gzip", "--file", archive.path, "--directory",
            folder.deletingLastPathComponent().path, folder.lastPathComponent,
        ]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CarpelError(.unavailable, "archiveFailed", "tar could not write \(archive.path); see what it wrote")
        }
    }
}
