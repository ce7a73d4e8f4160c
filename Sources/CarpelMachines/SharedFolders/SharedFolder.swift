import CarpelCore
import Foundation
import Glibc

/// A folder of the host that a machine sees through virtiofs, and the files and folders of the host that are bound in it.
///
/// The kernel keeps all of it, as mounts: a process that dies leaves what the next one finds. Copies of the folder in
/// other mount namespaces, such as a virtiofsd's, get what is bound in it later.
///
/// The folder itself is read-only: what a guest could write there would fill the host's `/run`.
public struct SharedFolder: Sendable {
    /// What ``SharedFolderSpec`` is made with.
    public let path: String
    /// Where the mount points are made, since `path` is read-only.
    private var points: String { "\(path).points" }
    /// What is bound is called so, in a folder that has its name and is a mount of its own. A guest lets go of what is
    /// in a mount when it unmounts that, and of the place that a mount was found at when it pleases.
    private static let content = "content"

    /// Says which folder it is; ``make()`` makes it.
    public init(_ path: String) { self.path = path }

    /// Makes the folder. One that is there is left alone.
    ///
    /// - Throws: `CarpelError` with `.failedPrecondition` and `sharedFolderUnusable`.
    public func make() throws {
        for folder in [path, points] {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw unusable("making \(folder)") }
        }
        if try MountTable().entry(at: path) == nil {
            guard mount(points, path, nil, UInt(MS_BIND), nil) == 0 else { throw unusable("binding \(path)") }
        }
        // Each of these can be said again, so that one that was cut short is completed.
        if try MountTable().entry(at: path)?.isShared != true {
            // Left first, or what is bound here would appear in every copy of the mount around it.
            guard mount(nil, path, nil, UInt(MS_PRIVATE), nil) == 0, mount(nil, path, nil, UInt(MS_SHARED), nil) == 0
            else { throw unusable("sharing the mounts in \(path)") }
        }
        let flags = UInt(MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        guard mount(nil, path, nil, flags, nil) == 0 else { throw unusable("making \(path) read-only") }
    }

    /// Lets the machine, which may run already, see a file or directory of the host. Repeating it does nothing.
    ///
    /// - Parameters:
    ///   - hostPath: Absolute; symbolic links are followed once, now.
    ///   - name: 1 to 128 letters, digits, `-`, `_` and `.`; that of what it is if nil. What several containers of a pod
    ///     use is bound once then: only so do locks hold between them, and caches agree.
    ///   - recursivelyReadOnly: Also what is mounted below it now. Needs `readOnly`.
    ///   - followsHost: What is mounted below it on the host later, and unmounted, is so here too.
    /// - Returns: Where the machine finds it, below the shared folder.
    /// - Throws: `CarpelError`: `.notFound` with `hostPathMissing`; `.invalidArgument` with `hostPathUnsuitable` if it is
    ///   neither a file nor a directory; `.alreadyExists` with `sharedNameInUse` if something else has the name;
    ///   `.failedPrecondition` with `sharedFolderUnusable`.
    @discardableResult
    public func bind(
        _ hostPath: String, as name: String? = nil, readOnly: Bool, recursivelyReadOnly: Bool = false,
        followsHost: Bool = false
    ) throws -> String {
        guard let host = OpenPath(hostPath) else {
            throw CarpelError(
                .notFound, "hostPathMissing", "\(hostPath) cannot be shared: \(String(cString: strerror(errno)))")
        }
        guard host.isDirectory || host.isRegularFile else {
            throw CarpelError(
                .invalidArgument, "hostPathUnsuitable",
                "\(hostPath) cannot be shared: it is neither a file nor a directory")
        }
        let flags = [readOnly ? "r" : "w", recursivelyReadOnly ? "r" : "", followsHost ? "f" : ""].joined()
        let name = try name ?? self.name(of: host, flags)
        guard name.isPlainWord(upTo: 128) else {
            throw CarpelError(.invalidArgument, "sharedName", "'\(name)' cannot be the name of a shared folder")
        }
        let place = "\(name)/\(Self.content)"
        if try isBound(host, at: place, name: name) { return place }
        guard let mount = DetachedMount(copying: host, recursive: host.isDirectory) else {
            throw unusable("copying the mount of \(hostPath)")
        }
        // Without this, taking it away here would unmount on the host what lies below it.
        guard mount.set(0, propagation: followsHost ? MS_SLAVE : MS_PRIVATE, recursive: true),
            !readOnly || mount.set(MOUNT_ATTR_RDONLY, recursive: recursivelyReadOnly)
        else { throw unusable("preparing the mount of \(hostPath)") }
        do {
            try makePoint(name, forFile: !host.isDirectory)
            guard let target = OpenPath("\(path)/\(place)", O_NOFOLLOW), mount.attach(to: target) else {
                throw unusable("binding \(hostPath) at \(path)/\(place)")
            }
        } catch {
            try? unbind(name)
            throw error
        }
        return place
    }

    /// What is bound already has the name that it has: the same file or directory, seen through the same mount, with the
    /// same mounts below. What is not gets one that was never used, since a guest may remember what had it.
    private func name(of host: OpenPath, _ flags: String) throws -> String {
        guard let status = host.status, let path = host.path, let mount = host.mountID else {
            throw unusable("looking at what is to be shared")
        }
        let below = host.isDirectory ? try MountTable().entries(below: path).map(\.id) : []
        let identity = "\(status.st_dev)-\(status.st_ino)-\(mount)-\(below.count)-\(below.max() ?? 0)-\(flags)."
        return names().first { $0.hasPrefix(identity) } ?? identity + String(UInt64.random(in: 0 ... .max), radix: 36)
    }

    /// Takes away what was bound as `name`, if anything was. The host's own mounts stay as they are.
    ///
    /// The guest keeps what it has open until it lets go of it.
    public func unbind(_ name: String) throws {
        guard name.isPlainWord(upTo: 128) else { return }
        try unmountAll(at: "\(path)/\(name)")
        let content = "\(points)/\(name)/\(Self.content)"
        guard Glibc.remove(content) == 0 || errno == ENOENT,
            rmdir("\(points)/\(name)") == 0 || errno == ENOENT
        else { throw unusable("removing \(points)/\(name)") }
    }

    /// What is bound, in the order of the names.
    public func names() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: points)) ?? []).sorted() }

    /// Takes away everything, and the folder. One that is not there is fine.
    public func remove() throws {
        for name in names() { try unbind(name) }
        try unmountAll(at: path)
        for folder in [path, points] {
            guard rmdir(folder) == 0 || errno == ENOENT else { throw unusable("removing \(folder)") }
        }
    }

    /// Whether `host` is there already.
    /// - Throws: `sharedNameInUse` if something else is.
    private func isBound(_ host: OpenPath, at place: String, name: String) throws -> Bool {
        guard try MountTable().entry(at: "\(path)/\(place)") != nil else {
            // What a process that died has left half done.
            try unbind(name)
            return false
        }
        guard let present = OpenPath("\(path)/\(place)", O_NOFOLLOW), present.isSame(as: host) else {
            throw CarpelError(
                .alreadyExists, "sharedNameInUse", "something else is shared as \(name); take it away first")
        }
        return true
    }

    private func makePoint(_ name: String, forFile: Bool) throws {
        guard mkdir("\(points)/\(name)", 0o755) == 0 || errno == EEXIST else { throw unusable("making \(name)") }
        let content = "\(points)/\(name)/\(Self.content)"
        if forFile {
            let file = open(content, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o444)
            guard file >= 0 else { throw unusable("making \(content)") }
            close(file)
        } else {
            guard mkdir(content, 0o755) == 0 || errno == EEXIST else { throw unusable("making \(content)") }
        }
        // Private first: as a copy of the shared folder it would pass on to that what is mounted in it.
        guard let folder = OpenPath("\(path)/\(name)", O_NOFOLLOW | O_DIRECTORY),
            let mount = DetachedMount(copying: folder, recursive: false),
            mount.set(0, propagation: MS_PRIVATE, recursive: false), mount.attach(to: folder)
        else { throw unusable("binding \(name)") }
    }

    private func unmountAll(at target: String) throws {
        while umount2(target, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) == 0 {}
        guard errno == EINVAL || errno == ENOENT else { throw unusable("unmounting \(target)") }
    }

    private func unusable(_ activity: String) -> CarpelError {
        CarpelError(
            .failedPrecondition, "sharedFolderUnusable", "\(activity): \(String(cString: strerror(errno)))")
    }
}
