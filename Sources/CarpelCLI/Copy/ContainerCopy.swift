import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

/// Copies between this machine and a container with the container's own `tar`.
struct ContainerCopy: Sendable {
    let client: CarpelClient
    let containerID: String
    /// What the container was called on the command line.
    let name: String

    // MARK: From the container

    /// A tar archive of `path` on stdout.
    func writeArchive(of path: String) async throws {
        try await archive(of: SplitPath(path)) { stream in
            await Console.writeWaiting(stream, to: STDOUT_FILENO)
            return true
        }
    }

    /// - Parameter target: a folder that `path` goes into, or its new name.
    func fetch(_ path: String, to target: String) async throws {
        let source = SplitPath(path)
        let isFolder = Self.isFolder(target)
        let place = isFolder && !source.isContent ? SplitPath("\(target)/\(source.name)") : SplitPath(target)
        guard isFolder || !target.hasSuffix("/"), chdir(place.folder) == 0 else {
            throw CarpelError(.notFound, "notFound", "there is no folder \(isFolder ? place.folder : target) here")
        }
        let name = ArchiveName(from: source.name, to: place.name)
        let pipe = try BlockingPipe()
        async let unpacked: Void = pipe.consuming { try TarReader.unpack($0, name: name) }
        do {
            try await archive(of: source) { try await pipe.write($0) }
            pipe.closeWriting()
        } catch {
            pipe.closeWriting()
            try await unpacked
            throw error
        }
        try await unpacked
    }

    private func archive(of source: SplitPath, _ take: ([UInt8]) async throws -> Bool) async throws {
        let stream = try await tar(["-c", "-f", "-", "-C", source.folder, "--", source.name], stdin: false)
        var errors: [UInt8] = []
        while let frame = try await stream.read() {
            if frame.channel == .stderr { errors += frame.payload.prefix(4096 - min(4096, errors.count)) }
            if frame.channel == .stdout, try await !take(frame.payload) { return }
        }
        try checkEnd(of: stream, errors)
    }

    // MARK: To the container

    /// Unpacks the tar archive on stdin in the folder `path`.
    func readArchive(into path: String) async throws {
        let input = StandardInput()
        try await unpack(in: path) { await input.next() }
    }

    /// - Parameter target: a folder that `path` goes into, or its new name.
    func send(_ path: String, to target: String) async throws {
        let source = SplitPath(path)
        let file = source.isContent ? path : "\(source.folder)/\(source.name)"
        guard access(file, F_OK) == 0 || (try? FileManager.default.destinationOfSymbolicLink(atPath: file)) != nil
        else { throw CarpelError(.notFound, "notFound", "there is no \(path) here") }
        let isFolder = try await isFolderInContainer(target)
        guard isFolder || !target.hasSuffix("/") else {
            throw CarpelError(.notFound, "notFound", "there is no folder \(target) in the container")
        }
        let place = isFolder && !source.isContent ? SplitPath("\(target)/\(source.name)") : SplitPath(target)
        let pipe = try BlockingPipe()
        async let packed: Void = pipe.producing { try TarWriter.write(file, as: place.name, to: $0) }
        do {
            try await unpack(in: place.folder) { try await pipe.read() }
        } catch {
            pipe.closeReading()
            try? await packed
            throw error
        }
        pipe.closeReading()
        try await packed
    }

    private func unpack(in folder: String, _ next: @escaping @Sendable () async throws -> [UInt8]?) async throws {
        let stream = try await tar(["-x", "-p", "-f", "-", "-C", folder], stdin: true)
        async let sent: Void = {
            while let bytes = try await next() { try await stream.write(bytes) }
            try await stream.closeInput()
        }()
        var errors: [UInt8] = []
        while let frame = try await stream.read() { errors += frame.payload.prefix(4096 - min(4096, errors.count)) }
        try checkEnd(of: stream, errors)
        try await sent
    }

    // MARK: In the container

    private func tar(_ arguments: [String], stdin: Bool) async throws -> ByteStream {
        let request = ExecRequest {
            $0.containerId = containerID
            $0.cmd = ["tar"] + arguments
            $0.stdin = stdin
            $0.stdout = true
            $0.stderr = true
        }
        do {
            return try await client.openStream(url: try await client.call(Methods.exec, request).url)
        } catch let error as CarpelError where error.reason == "commandNotFound" {
            throw lacks("tar")
        }
    }

    private func isFolderInContainer(_ path: String) async throws -> Bool {
        let request = ExecSyncRequest {
            $0.containerId = containerID
            $0.cmd = ["test", "-d", path]
            $0.timeout = 60
        }
        let code = try await client.call(Methods.execSync, request).exitCode
        guard code != 127 else { throw lacks("test") }
        return code == 0
    }

    private func lacks(_ program: String) -> CarpelError {
        CarpelError(
            .failedPrecondition, "\(program)Missing",
            "there is no \(program) in the container's image, which copying needs: `carpel exec \(name) cat PATH > FILE` "
                + "and `carpel exec -i \(name) tee PATH < FILE` copy a file, `carpel run --volume` shares a folder")
    }

    private func checkEnd(of stream: ByteStream, _ errors: [UInt8]) throws {
        guard let code = stream.exitCode, code != 0 else { return }
        let words = String(decoding: errors, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
        let isMissing = words.contains("No such file or directory")
        throw CarpelError(
            isMissing ? .notFound : .failedPrecondition, isMissing ? "notFound" : "copyFailed",
            "the container's tar ended with \(code): \(words)")
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
