import Foundation

/// An archive in cpio's `newc` format, which the kernel unpacks as its first root.
///
/// Source: https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
struct InitramfsArchive {
    private(set) var data = Data()
    private var inode = 1

    mutating func add(folder: String) { add(folder, mode: 0o40755, content: Data()) }
    mutating func add(file: String, executable: Bool = false, content: Data) {
        add(file, mode: executable ? 0o100755 : 0o100644, content: content)
    }

    mutating func finish() { add("TRAILER!!!", mode: 0, content: Data()) }

    private mutating func add(_ name: String, mode: Int, content: Data) {
        // Inode, mode, owner, group, links, time, size, device twice two numbers, length of the name, checksum.
        let fields = [inode, mode, 0, 0, 1, 0, content.count, 0, 0, 0, 0, name.utf8.count + 1, 0]
        inode += 1
        data.append(Data("070701".utf8))
        for field in fields { data.append(Data(String(format: "%08X", field).utf8)) }
        data.append(Data(name.utf8) + [0])
        pad()
        data.append(content)
        pad()
    }

    private mutating func pad() { data.append(Data(count: (4 - data.count % 4) % 4)) }
}
