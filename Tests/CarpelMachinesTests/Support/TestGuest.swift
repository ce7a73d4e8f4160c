import Foundation

/// A kernel, and an initramfs whose `init` answers a few words on the agent's port.
///
/// It stands in for the agent: these tests need a guest that panics and powers off when told so.
struct TestGuest: Codable, Sendable {
    let kernel: String
    let initramfs: String

    /// Nil where there is no kernel: `hack/guest` makes one, Debian's `linux-image-cloud-amd64` will do.
    static let kernelPath: String? = {
        let folder = ProcessInfo.processInfo.environment["CARPEL_GUEST"] ?? "\(packageFolder)/.build/guest"
        if FileManager.default.fileExists(atPath: "\(folder)/vmlinux") { return "\(folder)/vmlinux" }
        let installed = (try? FileManager.default.contentsOfDirectory(atPath: "/boot")) ?? []
        return installed.filter { $0.hasPrefix("vmlinuz-") && $0.contains("cloud") }.max().map { "/boot/\($0)" }
    }()

    private static var packageFolder: String {
        URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/").replacing("//", with: "/")
    }

    static let kernelArguments = [
        "console=ttyS0", "quiet", "tsc=reliable", "no_timer_check", "cryptomgr.notests", "panic=-1",
    ]

    private static let modules = [
        "drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_legacy_dev",
        "drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci", "drivers/misc/pvpanic/pvpanic",
        "drivers/misc/pvpanic/pvpanic-mmio", "drivers/scsi/scsi_common", "drivers/scsi/scsi_mod", "drivers/scsi/sd_mod",
        "drivers/scsi/virtio_scsi", "drivers/block/virtio_blk", "drivers/char/virtio_console",
    ]

    /// `ping` is answered by `pong`, `disks` by a line for each disk and a dot; `panic`, `off` and `reboot` by deeds.
    private static let script = """
        #!/bin/busybox sh
        b=/bin/busybox
        $b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
        for m in MODULES; do $b insmod /lib/$m.ko || echo "no module $m" >/dev/console; done
        echo "init is up" >/dev/console
        while [ -z "$port" ]; do
            for p in /sys/class/virtio-ports/*; do
                [ "$($b cat $p/name 2>/dev/null)" = dev.carpel.agent ] && port=/dev/${p##*/}
            done
        done
        exec 3<>$port
        disk() { echo "$1 $2 $($b cat /sys/block/$1/ro)" >&3; }
        while true; do
            while read -r word <&3; do
                case $word in
                ping) echo pong >&3 ;;
                disks)
                    for d in /sys/block/sd* /sys/block/vd*; do
                        [ -e $d/serial ] && disk ${d##*/} $($b cat $d/serial)
                        [ -e $d/device/vpd_pg80 ] && disk ${d##*/} $($b tail -c +5 $d/device/vpd_pg80)
                    done
                    echo . >&3 ;;
                panic) echo c >/proc/sysrq-trigger ;;
                off) $b poweroff -f ;;
                reboot) $b reboot -f ;;
                esac
            done
            $b usleep 10000
        done
        """

    /// Makes the initramfs in `folder`, readable by everybody.
    init(in folder: String) throws {
        guard let kernel = Self.kernelPath else { throw CocoaError(.fileNoSuchFile) }
        let names = Self.modules.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        let script = Self.script.replacing("MODULES", with: names.joined(separator: " "))
        let source = "/lib/modules/\(try Self.release(of: kernel))/kernel"
        var archive = InitramfsArchive()
        for folder in ["bin", "dev", "lib", "proc", "sys"] { archive.add(folder: folder) }
        archive.add(file: "init", executable: true, content: Data(script.utf8))
        archive.add(
            file: "bin/busybox", executable: true, content: try Data(contentsOf: URL(fileURLWithPath: "/bin/busybox")))
        for (module, name) in zip(Self.modules, names) {
            archive.add(
                file: "lib/\(name).ko", content: try Data(contentsOf: URL(fileURLWithPath: "\(source)/\(module).ko")))
        }
        archive.finish()
        self.kernel = kernel
        initramfs = "\(folder)/initramfs.cpio"
        try archive.data.write(to: URL(fileURLWithPath: initramfs))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: initramfs)
    }

    /// The kernel's name for itself, such as `6.1.0-1-cloud-amd64`.
    private static func release(of kernel: String) throws -> String {
        let image = try Data(contentsOf: URL(fileURLWithPath: kernel), options: .alwaysMapped)
        // A bzImage says where its version is (https://docs.kernel.org/arch/x86/boot.html), a vmlinux has its banner.
        let isBzImage = image.dropFirst(0x202).starts(with: Data("HdrS".utf8))
        let banner = Data("Linux version ".utf8)
        let start =
            isBzImage
            ? Int(image[0x20E]) + Int(image[0x20F]) << 8 + 0x200
            : image.range(of: banner)?.upperBound
        guard let start else { throw CocoaError(.fileReadCorruptFile) }
        return String(decoding: image[start...].prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
