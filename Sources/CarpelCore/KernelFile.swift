import Glibc

/// Files of proc(5), which tell no length and give out a page at a time: Foundation takes the first page for all.
package enum KernelFile {
    /// - Throws: `CarpelError` with `.internal` and `kernelFileUnreadable`.
    package static func read(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return String(decoding: content, as: UTF8.self) }
            if count < 0 {
                if errno == EINTR { continue }
                throw CarpelError(
                    .internal, "kernelFileUnreadable", "reading \(path): \(String(cString: strerror(errno)))")
            }
            content += chunk[..<count]
        }
    }
}
