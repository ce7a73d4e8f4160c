import Foundation

/// An OCI image of Debian's busybox-static, with a user, an environment and a command.
public final class BusyboxImage: Sendable {
    /// The OCI layout's folder.
    public let layout: String
    public let tag = "latest"
    private let folder: TemporaryFolder

    public func remove() { folder.remove() }

    /// - Parameter programs: programs of this machine that are in the image too, with the libraries that they need.
    public init(adding programs: [String] = []) async throws {
        folder = try TemporaryFolder()
        layout = "\(folder.path)/layout"
        try await shell(
            """
            set -eu
            umoci init --layout "$1"
            umoci new --image "$1:$2"
            mkdir -p "$3/bin" "$3/etc" "$3/tmp" "$3/home/ada" "$3/proc" "$3/sys" "$3/dev"
            cp /bin/busybox "$3/bin/busybox"
            for applet in $(/bin/busybox --list | grep -vx busybox); do ln -sf busybox "$3/bin/$applet"; done
            printf 'root:x:0:0:root:/root:/bin/sh\\nada:x:1000:1000:Ada:/home/ada:/bin/sh\\n' > "$3/etc/passwd"
            printf 'root:x:0:\\nada:x:1000:\\nwheel:x:10:ada\\n' > "$3/etc/group"
            chmod 1777 "$3/tmp"
            for program in $4; do
                for file in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
                    mkdir -p "$3$(dirname "$file")"
                    cp -L "$file" "$3$file"
                done
            done
            umoci insert --image "$1:$2" "$3" / >/dev/null
            umoci config --image "$1:$2" --config.cmd /bin/sh --config.env GREETING=hello --config.stopsignal SIGTERM
            """, layout, tag, "\(folder.path)/root", programs.joined(separator: " "))
    }
}
