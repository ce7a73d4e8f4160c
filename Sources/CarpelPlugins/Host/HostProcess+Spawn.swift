import CarpelCore
import Foundation
import Glibc
import Subprocess
import Synchronization
import SystemPackage

extension HostProcess {
    /// Starts the program, which waits for its first message.
    static func spawn(
        _ launch: HostLaunch, _ log: HostLog
    ) async throws -> (HostConnection, HostExit, processID: Int32) {
        let (ours, theirs) = try pair("a socket") { socketpair(AF_UNIX, streamSocket | closeOnExec, 0, $0) }
        let (reading, writing): (Int32, Int32)
        do {
            (reading, writing) = try pair("a pipe") { pipe($0) }
        } catch {
            for descriptor in [ours, theirs] { Glibc.close(descriptor) }
            throw error
        }
        // Not at once, since Glibc's module has no pipe2; whatever else the daemon starts closes what it does not know.
        for descriptor in [reading, writing] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let exit = HostExit(log: log)
        let processID: Int32
        do {
            processID = try await run(launch, exit, socket: theirs, log: writing)
        } catch {
            for descriptor in [ours, reading] { Glibc.close(descriptor) }
            throw error
        }
        do {
            try await log.read(from: reading)
            return (try await HostConnection.adopting(ours), exit, processID)
        } catch {
            exit.kill(because: "the daemon has no descriptors left")
            throw error
        }
    }

    /// - Returns: when the process has started.
    private static func run(_ launch: HostLaunch, _ exit: HostExit, socket: Int32, log: Int32) async throws -> Int32 {
        let started = Latch<Result<Int32, CarpelError>>()
        var options = PlatformOptions()
        // A terminal's Ctrl-C is for the daemon, and must not end a host within a call.
        options.createSession = true
        exit.watch { [options] in
            do {
                return try await Subprocess.run(
                    .path(FilePath(launch.hosting.hostExecutable)), arguments: [launch.manifest.name],
                    environment: .custom(environment), platformOptions: options,
                    input: .fileDescriptor(FileDescriptor(rawValue: socket), closeAfterSpawningProcess: true),
                    output: .discarded,
                    error: .fileDescriptor(FileDescriptor(rawValue: log), closeAfterSpawningProcess: true)
                ) { execution in
                    await started.set(.success(execution.processIdentifier.value))
                }.terminationStatus
            } catch {
                await started.set(
                    .failure(
                        CarpelError(
                            .failedPrecondition, "pluginHostMissing",
                            "cannot start \(launch.hosting.hostExecutable): \(error); name it in `plugins.host`")))
                throw error
            }
        }
        return try await started.wait().get()
    }

    /// Nothing of the daemon's, but where its Swift libraries are if they are not where they were built for.
    private static var environment: [Environment.Key: String] {
        var environment: [Environment.Key: String] = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
            // A confined process cannot be looked into: Swift's crash handler would print registers and no frames, after
            // which the plugin's own last words are hard to find.
            "SWIFT_BACKTRACE": "enable=no",
        ]
        environment["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
        return environment
    }

    private static let streamSocket = Int32(SOCK_STREAM.rawValue)
    private static let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)

    private static func pair(
        _ what: String, _ make: (UnsafeMutablePointer<Int32>) -> Int32
    ) throws -> (Int32, Int32) {
        var descriptors: [Int32] = [-1, -1]
        guard descriptors.withUnsafeMutableBufferPointer({ $0.baseAddress.map(make) }) == 0 else {
            throw CarpelError(
                .resourceExhausted, "noDescriptors",
                "cannot make \(what) for a plugin's host: \(String(cString: strerror(errno)))")
        }
        return (descriptors[0], descriptors[1])
    }
}
