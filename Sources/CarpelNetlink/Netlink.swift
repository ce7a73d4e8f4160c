import CLibnl
import Glibc

/// A routing socket into the network namespace of the thread that opens it.
///
/// Not for several threads at once: it belongs to one ``NetworkThread``, or to whoever opened it.
public final class Netlink {
    let socket: OpaquePointer

    /// - Throws: ``NetlinkError``.
    public init() throws {
        guard let socket = nl_socket_alloc() else { throw NetlinkError("open a netlink socket", errorCode: ENOMEM) }
        self.socket = socket
        let result = nl_connect(socket, NETLINK_ROUTE)
        guard result >= 0 else {
            nl_socket_free(socket)
            throw NetlinkError("open a netlink socket", libnl: result)
        }
    }

    deinit { nl_socket_free(socket) }

    /// Throws what a function of libnl answered if that is an error.
    @discardableResult
    func check(_ result: Int32, _ operation: @autoclosure () -> String) throws -> Int32 {
        guard result >= 0 else { throw NetlinkError(operation(), libnl: result) }
        return result
    }
}
