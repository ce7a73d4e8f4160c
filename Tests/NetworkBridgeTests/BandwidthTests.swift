import CarpelNetlink
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

@testable import NetworkBridge

/// One at a time: what is measured needs the processors.
@Suite(.serialized) struct BandwidthTests {
    private static let megabit: UInt64 = 1_000_000

    @Test(arguments: [true, false])
    func aLimitHoldsInItsDirectionAlone(isIngress: Bool) async throws {
        let host = try await TestHost()
        let rate = 20 * Self.megabit
        let bandwidth = Bandwidth(
            ingressBitsPerSecond: isIngress ? rate : nil, egressBitsPerSecond: isIngress ? nil : rate)
        let guest = try await host.guest(.pod("web", bandwidth: bandwidth))

        let limited = try await throughput(
            from: isIngress ? host.namespace : guest.namespace, to: isIngress ? guest.namespace : host.namespace,
            at: isIngress ? guest.ipv4 : "10.88.0.1")
        let free = try await throughput(
            from: isIngress ? guest.namespace : host.namespace, to: isIngress ? host.namespace : guest.namespace,
            at: isIngress ? "10.88.0.1" : guest.ipv4)
        #expect(limited < 1.3 * Double(rate), "\(limited / 1e6) Mbit/s")
        #expect(limited > 0.3 * Double(rate), "\(limited / 1e6) Mbit/s")
        #expect(free > 2 * limited, "\(free / 1e6) Mbit/s the other way")
    }

    @Test func theKernelHasTheLimitsThatWereAskedFor() async throws {
        let host = try await TestHost()
        let bandwidth = Bandwidth(ingressBitsPerSecond: 8 * Self.megabit, egressBitsPerSecond: 80 * Self.megabit)
        let device = try await host.plugin.add(.pod("web", bandwidth: bandwidth)).device
        let tap = try await host.shell("tc qdisc show dev \(device)")
        #expect(tap.contains("tbf") && tap.contains("rate 8Mbit") && tap.contains("ingress"), "\(tap)")
        let limiter = try await host.shell("tc qdisc show dev cpi\(device.dropFirst(3))")
        #expect(limiter.contains("tbf") && limiter.contains("rate 80Mbit"), "\(limiter)")
    }

    @Test func aLimitBeyondWhatTheKernelCanNameIsNone() async throws {
        let host = try await TestHost()
        let bandwidth = Bandwidth(ingressBitsPerSecond: 100_000 * Self.megabit, egressBitsPerSecond: nil)
        let device = try await host.plugin.add(.pod("web", bandwidth: bandwidth)).device
        #expect(try await host.shell("tc qdisc show dev \(device)").contains("tbf") == false)
        let error = await #expect(throws: PluginError.self) {
            try await host.plugin.add(.pod("slow", bandwidth: Bandwidth(egressBitsPerSecond: 999)))
        }
        #expect(error?.reason == "bandwidthInvalid")
    }

    @Test func theMTUIsTheNetworks() async throws {
        let host = try await TestHost(oneNetwork("10.90.0.0/24", also: #""mtu": 9000"#))
        let one = try await host.guest(.pod("one"))
        let other = try await host.guest(.pod("other"))
        #expect(one.attachment.mtu == 9000)
        // Whole, or not at all.
        try await one.namespace.shell("ping -c 1 -W 5 -M do -s 8972 \(other.ipv4) >/dev/null")
        try await one.namespace.shell("ping -c 1 -W 5 -M do -s 8972 10.90.0.1 >/dev/null")
    }

    /// - Returns: bits a second, after the first megabyte: buffers and bursts do not count.
    private func throughput(
        from source: NetworkNamespace, to target: NetworkNamespace, at address: String
    ) async throws -> Double {
        let listener = try await TestSocket.listening(in: target, .tcp, address, 5001)
        let sender = try await TestSocket.connected(in: source, .tcp, address, 5001)
        let receiver = try listener.accepted().0
        Thread { sender.sendUntilRefused() }.start()
        defer { receiver.hangUp() }
        try receiver.receive(bytes: 1 << 20, within: .seconds(10))
        let clock = ContinuousClock()
        let start = clock.now
        let bytes = try receiver.receive(bytes: 16 << 20, within: .seconds(2))
        return Double(bytes) * 8 / ((clock.now - start) / .seconds(1))
    }
}

extension TestSocket {
    fileprivate func sendUntilRefused() {
        let block = [UInt8](repeating: 7, count: 1 << 16)
        while Glibc.send(descriptor, block, block.count, Int32(MSG_NOSIGNAL)) > 0 {}
    }

    fileprivate func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// - Returns: how many have come, less than `bytes` if the time was up.
    @discardableResult
    fileprivate func receive(bytes: Int, within time: Duration) throws -> Int {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var total = 0
        let end = ContinuousClock.now + time
        while total < bytes, ContinuousClock.now < end {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw SupportError("the stream has ended: errno \(errno)") }
            total += count
        }
        return total
    }
}
