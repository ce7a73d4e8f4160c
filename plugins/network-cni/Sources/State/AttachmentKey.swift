import CarpelNetlink
import CarpelPluginSDK

/// A pod's interface: what an attachment is known by.
struct AttachmentKey: Sendable, Hashable {
    let podID: String
    let interfaceName: String

    private static let forbidden = Set("/:".utf8)

    /// - Throws: `PluginError` with `.invalidArgument` for what CNI or the kernel would not take.
    init(podID: String, interfaceName: String) throws {
        guard (1...64).contains(podID.utf8.count), podID.utf8.allSatisfy(\.isLetterOrDigit) else {
            throw PluginError(.invalidArgument, "podIDInvalid", "\"\(podID)\" must have 1 to 64 letters and digits")
        }
        let isName =
            (1...Link.longestName).contains(interfaceName.utf8.count) && interfaceName != "." && interfaceName != ".."
            && interfaceName.utf8.allSatisfy { (0x21...0x7e).contains($0) && !Self.forbidden.contains($0) }
        guard isName else {
            throw PluginError(
                .invalidArgument, "interfaceNameInvalid",
                "\"\(interfaceName)\" must have 1 to \(Link.longestName) printable characters without '/' and ':'")
        }
        self.podID = podID
        self.interfaceName = interfaceName
    }

    /// The name of its files. A pod's id has no such separator.
    var fileName: String { "\(podID)@\(interfaceName)" }

    /// What CNI knows it by: the pod's id for `eth0`.
    ///
    /// To CNI a container is a namespace, and each interface has one. Debian's bridge would otherwise take away what
    /// all of a pod's interfaces on a network need with the first of them.
    var containerID: String {
        guard interfaceName != "eth0" else { return podID }
        // CNI takes fewer characters than the kernel.
        let name = interfaceName.utf8.map { byte in
            byte.isLetterOrDigit ? String(UnicodeScalar(byte)) : "_\(String(byte, radix: 16))"
        }
        return "\(podID)-\(name.joined())"
    }
}
