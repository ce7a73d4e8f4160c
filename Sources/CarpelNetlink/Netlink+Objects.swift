import CLibnl
import Glibc

/// An address as people write it: `10.88.0.1/16`, `02:00:00:00:00:01`.
func text(_ address: OpaquePointer) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    nl_addr2str(address, &buffer, buffer.count)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

func allocated(_ object: OpaquePointer?, _ operation: @autoclosure () -> String) throws -> OpaquePointer {
    guard let object else { throw NetlinkError(operation(), errorCode: ENOMEM) }
    return object
}

/// libnl's form of an address, while `body` runs.
func withAddress<Result>(
    _ text: String?, family: Int32, _ body: (OpaquePointer?) throws -> Result
) throws -> Result {
    guard let text else { return try body(nil) }
    var address: OpaquePointer?
    let result = nl_addr_parse(text, family, &address)
    guard result >= 0, let address else { throw NetlinkError("read the address \(text)", libnl: result) }
    defer { nl_addr_put(address) }
    return try body(address)
}

/// The objects of a cache, which must outlive them.
func objects(in cache: OpaquePointer?) -> [OpaquePointer] {
    var result: [OpaquePointer] = []
    var next = nl_cache_get_first(cache)
    while let object = next {
        result.append(object)
        next = nl_cache_get_next(object)
    }
    return result
}

/// - Returns: nil if a nest of attributes has none of the kind.
func member(_ kind: Int, of nest: UnsafeMutablePointer<nlattr>) -> UnsafeMutablePointer<nlattr>? {
    guard let members = nla_data(nest)?.assumingMemoryBound(to: nlattr.self) else { return nil }
    return nla_find(members, nla_len(nest), Int32(kind))
}
