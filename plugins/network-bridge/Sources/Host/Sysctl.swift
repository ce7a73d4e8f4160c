import Glibc

/// The kernel's settings below /proc/sys/net, of the calling thread's network namespace. CAP_NET_ADMIN may write them.
enum Sysctl {
    /// - Parameter path: below /proc/sys/net: `ipv4/ip_forward`.
    /// - Returns: nil if the kernel has no such setting.
    static func read(_ path: String) -> String? {
        let file = open("/proc/sys/net/\(path)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// Leaves a setting alone that is right: it may be read-only.
    ///
    /// - Throws: ``SysctlError``.
    static func set(_ path: String, _ value: String) throws {
        guard read(path) != value else { return }
        let file = open("/proc/sys/net/\(path)", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw SysctlError(path: path, value: value, code: errno) }
        defer { close(file) }
        guard Glibc.write(file, value, value.utf8.count) == value.utf8.count else {
            throw SysctlError(path: path, value: value, code: errno)
        }
    }
}

struct SysctlError: Error, CustomStringConvertible {
    let path: String
    let value: String
    /// As in errno(3).
    let code: Int32

    var description: String {
        let name = path.split(separator: "/").joined(separator: ".")
        return "cannot set net.\(name) to \(value): \(String(cString: strerror(code)))"
    }
}
