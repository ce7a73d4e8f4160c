import CLibvirt
import CarpelCore

extension CarpelError {
    /// The last error of libvirt on this thread, as one of Carpel's.
    ///
    /// Source of the numbers: https://libvirt.org/html/libvirt-virterror.html
    static func libvirt(_ activity: String) -> CarpelError {
        guard let error = virGetLastError()?.pointee else {
            return CarpelError(.unavailable, "libvirtFailed", "\(activity): libvirt gave no reason")
        }
        let number = virErrorNumber(rawValue: UInt32(bitPattern: error.code))
        let message = error.message.map { String(cString: $0) } ?? "error \(error.code)"
        return libvirt(activity, number, message)
    }

    static func libvirt(_ activity: String, _ number: virErrorNumber, _ message: String) -> CarpelError {
        let said = "\(activity): \(message)"
        if let advice = accountAdvice(message) {
            return CarpelError(.failedPrecondition, "libvirtUserMissing", said + advice)
        }
        if message.contains("cquire pid file") || message.contains("already open with path") {
            return CarpelError(
                .failedPrecondition, "stateDirectoryInUse", "\(said); another process, or this one, has the driver open"
            )
        }
        switch number {
        case VIR_ERR_NO_DOMAIN: return CarpelError(.notFound, "machineGone", said)
        case VIR_ERR_DOM_EXIST: return CarpelError(.alreadyExists, "machineExists", said)
        case VIR_ERR_OPERATION_FAILED where message.contains("already exists with uuid"):
            return CarpelError(.alreadyExists, "machineExists", said)
        case VIR_ERR_OPERATION_TIMEOUT: return CarpelError(.deadlineExceeded, "libvirtBusy", said)
        case VIR_ERR_OPERATION_INVALID: return CarpelError(.failedPrecondition, "machineNotRunning", said)
        case VIR_ERR_AUTH_FAILED, VIR_ERR_ACCESS_DENIED, VIR_ERR_AUTH_UNAVAILABLE:
            return CarpelError(.permissionDenied, "libvirtDenied", said)
        case VIR_ERR_XML_ERROR, VIR_ERR_XML_DETAIL, VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_INVALID_ARG:
            return CarpelError(.internal, "domainRejected", said)
        default: return CarpelError(.unavailable, "libvirtFailed", said)
        }
    }

    /// libvirt looks up the account that it was built with before it reads `qemu.conf`, and does not start without it.
    private static func accountAdvice(_ message: String) -> String? {
        for (words, command) in [
            ("parse user '", "useradd --system --user-group"), ("parse group '", "groupadd --system"),
        ] {
            guard let range = message.firstRange(of: words) else { continue }
            let name = message[range.upperBound...].prefix { $0 != "'" }
            return "; this libvirt insists that the account exists, even unused: '\(command) \(name)'"
        }
        return nil
    }
}
