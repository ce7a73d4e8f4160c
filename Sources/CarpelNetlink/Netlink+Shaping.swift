import CLibnl
import Glibc

/// A token bucket in front of a device: what it sends waits until there are tokens for it.
public struct TokenBucket: Sendable, Hashable {
    /// Bytes a second; at most 2^31 - 1.
    public let rate: Int
    /// Bytes that may be sent at once after a pause.
    public let burst: Int

    public init(rate: Int, burst: Int) {
        self.rate = rate
        self.burst = burst
    }
}

extension Netlink {
    /// What waits longer than this is dropped: long enough for TCP to find its rate, short enough to type in.
    private static let longestWaitMicroseconds: Int32 = 50_000
    private static let rootHandle: UInt32 = 0x0001_0000

    /// Limits what a device sends, or changes its limit.
    ///
    /// - Throws: ``NetlinkError``.
    public func setTokenBucket(_ bucket: TokenBucket, on link: Int32) throws {
        let operation = "limit what the device \(link) sends"
        let discipline = try allocated(rtnl_qdisc_alloc(), operation)
        defer { rtnl_qdisc_put(discipline) }
        rtnl_tc_set_ifindex(discipline, link)
        rtnl_tc_set_parent(discipline, carpel_tc_h_root)
        rtnl_tc_set_handle(discipline, Self.rootHandle)
        try check(rtnl_tc_set_kind(discipline, "tbf"), operation)
        rtnl_qdisc_tbf_set_rate(discipline, Int32(clamping: bucket.rate), Int32(clamping: bucket.burst), 0)
        try check(rtnl_qdisc_tbf_set_limit_by_latency(discipline, Self.longestWaitMicroseconds), operation)
        try check(rtnl_qdisc_add(socket, discipline, NLM_F_CREATE | NLM_F_REPLACE), operation)
    }

    /// - Returns: nil if nothing of the kind limits what the device sends.
    /// - Throws: ``NetlinkError``.
    public func tokenBucket(on link: Int32) throws -> TokenBucket? {
        var cache: OpaquePointer?
        try check(rtnl_qdisc_alloc_cache(socket, &cache), "list the queueing disciplines")
        defer { nl_cache_free(cache) }
        for discipline in objects(in: cache) where rtnl_tc_get_ifindex(discipline) == link {
            guard let kind = rtnl_tc_get_kind(discipline), strcmp(kind, "tbf") == 0 else { continue }
            return TokenBucket(
                rate: Int(rtnl_qdisc_tbf_get_rate(discipline)), burst: Int(rtnl_qdisc_tbf_get_rate_bucket(discipline)))
        }
        return nil
    }
}
