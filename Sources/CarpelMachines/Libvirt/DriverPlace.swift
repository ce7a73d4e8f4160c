import CarpelCore
import Foundation

/// Where one of libvirt's QEMU drivers is reached and keeps its files.
struct DriverPlace: Sendable {
    let uri: String
    let runDirectory: String
    private let logDirectory: String
    /// Whether the driver's files are Carpel's to remove.
    let isOwn: Bool

    init(_ configuration: MachinesConfiguration) {
        let root = configuration.stateDirectory
        switch configuration.driver {
        case .embed:
            let escaped = root.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? root
            (uri, isOwn) = ("qemu:///embed?root=\(escaped)", true)
            (runDirectory, logDirectory) = ("\(root)/run/qemu", "\(root)/log/qemu")
        case .system:
            (uri, isOwn) = ("qemu:///system", false)
            (runDirectory, logDirectory) = ("/run/libvirt/qemu", "/var/log/libvirt/qemu")
        }
    }

    func pidFile(_ domainName: String) -> String { "\(runDirectory)/\(domainName).pid" }
    func log(_ domainName: String) -> String { "\(logDirectory)/\(domainName).log" }
}
