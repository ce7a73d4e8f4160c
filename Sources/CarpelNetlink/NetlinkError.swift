import CLibnl
import Glibc

/// What the kernel refused.
public struct NetlinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried: `set carpel0 up`.
    public let operation: String
    /// As in errno(3); EIO where libnl keeps nothing better.
    public let errorCode: Int32
    private let cause: String

    public init(_ operation: String, errorCode: Int32) {
        self.operation = operation
        self.errorCode = errorCode
        cause = String(cString: strerror(errorCode))
    }

    /// - Parameter result: what a function of libnl has answered.
    init(_ operation: String, libnl result: Int32) {
        self.operation = operation
        errorCode = errorNumber(result)
        cause = String(cString: nl_geterror(result))
    }

    public var description: String { "cannot \(operation): \(cause)" }
}

/// libnl has numbers of its own; those that callers tell apart become errno's again.
private func errorNumber(_ result: Int32) -> Int32 {
    switch abs(result) {
    case NLE_EXIST: EEXIST
    case NLE_OBJ_NOTFOUND, NLE_NODEV: ENODEV
    case NLE_BUSY: EBUSY
    case NLE_PERM, NLE_NOACCESS: EPERM
    case NLE_NOMEM: ENOMEM
    case NLE_INVAL: EINVAL
    case NLE_RANGE: ERANGE
    case NLE_OPNOTSUPP: EOPNOTSUPP
    case NLE_AF_NOSUPPORT: EAFNOSUPPORT
    case NLE_NOADDR: EADDRNOTAVAIL
    case NLE_AGAIN: EAGAIN
    case NLE_INTR: EINTR
    default: EIO
    }
}
