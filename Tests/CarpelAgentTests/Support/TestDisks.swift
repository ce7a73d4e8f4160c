import TestSupport

/// Disks as the node makes them: EROFS layers, and an ext4 scratch disk.
struct TestDisks {
    let folder: String
    var base: String { "\(folder)/base.erofs" }
    var extra: String { "\(folder)/extra.erofs" }
    var scratch: String { "\(folder)/scratch.ext4" }

    static func make(in folder: String) async throws -> TestDisks {
        let disks = TestDisks(folder: folder)
        try await shell(
            """
            set -eu
            cd "$1"
            mkdir -p base/bin base/etc base/tmp base/home/ada base/usr/share extra/usr/share
            cp /bin/busybox base/bin/busybox
            for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -sf busybox base/bin/$applet; done
            printf 'root:x:0:0:root:/root:/bin/sh\\nada:x:1000:1001:Ada:/home/ada:/bin/sh\\n' > base/etc/passwd
            printf 'root:x:0:\\nada:x:1001:\\nwheel:x:10:ada\\n' > base/etc/group
            ln -s /run/nowhere/resolv.conf base/etc/resolv.conf
            printf 'not a program' > base/bin/data
            printf 'neither' > base/bin/text && chmod 755 base/bin/text
            chmod 1777 base/tmp
            echo lower > base/usr/share/who
            echo upper > extra/usr/share/who
            mkfs.erofs --quiet -x-1 -T0 --all-root base.erofs base
            mkfs.erofs --quiet -x-1 -T0 --all-root extra.erofs extra
            truncate -s 128M scratch.ext4
            mkfs.ext4 -q -F -O ^has_journal scratch.ext4
            rm -rf base extra
            """, folder)
        return disks
    }
}
