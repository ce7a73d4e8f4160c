import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelMachines

struct AcceleratorTests {
    private static let hasKVM = access("/dev/kvm", R_OK | W_OK) == 0
    private let root = try? Account(user: "root", group: "root")

    @Test func probeHasAnOutcomeAndAReason() throws {
        let probe = KVMProbe()
        let start = ContinuousClock.now
        let outcome = probe.run()
        #expect(start.duration(to: .now) < .seconds(2))
        let choice = try AcceleratorChoice.choose(.auto, account: try #require(root), probe: probe)
        if case .good = outcome { #expect(choice.kind == .kvm) } else { #expect(choice.kind == .tcg) }
        #expect(!choice.reason.isEmpty)
    }

    @Test(.enabled(if: hasKVM)) func guestThatCountsSlowlyIsNotGood() throws {
        var probe = KVMProbe()
        probe.limit = .zero
        probe.patience = .seconds(10)
        guard case .bad(let why) = probe.run() else {
            Issue.record("a limit of nothing was kept")
            return
        }
        #expect(why.contains("ten thousand"))
    }

    @Test(.enabled(if: hasKVM)) func guestThatNeverStopsIsGivenUp() {
        var probe = KVMProbe()
        probe.code = KVMGuest.endlessCode
        let start = ContinuousClock.now
        #expect(probe.run() == .bad("a guest did not come back in 0.1 seconds"))
        #expect(start.duration(to: .now) < .seconds(2))
    }

    @Test func absentDeviceMeansTCGUnlessKVMIsAskedFor() async throws {
        let probe = KVMProbe(device: "/dev/no-kvm")
        let root = try #require(root)
        let choice = try AcceleratorChoice.choose(.auto, account: root, probe: probe)
        #expect(choice == AcceleratorChoice(kind: .tcg, reason: "there is no /dev/no-kvm"))
        await expectError("kvmUnusable") { _ = try AcceleratorChoice.choose(.kvm, account: root, probe: probe) }
    }

    @Test func deviceThatIsNotKVMIsNotGood() {
        guard case .bad = KVMProbe(device: "/dev/null").run() else {
            Issue.record("/dev/null was taken for KVM")
            return
        }
    }

    @Test func configuredTCGIsNotProbed() throws {
        let choice = try AcceleratorChoice.choose(
            .tcg, account: try #require(root), probe: KVMProbe(device: "/dev/no-kvm"))
        #expect(choice.reason == "the configuration asks for TCG")
    }

    @Test func deviceThatQEMUCannotOpenNamesTheGroupToJoin() async throws {
        let file = "/tmp/no-kvm-\(UInt32.random(in: 0 ... .max))"
        try Data().write(to: URL(fileURLWithPath: file))
        defer { unlink(file) }
        chmod(file, 0o660)
        let nobody = try Account(user: "nobody", group: "nogroup")
        let error = #expect(throws: CarpelError.self) { try AcceleratorChoice.requireAccess(nobody, to: file) }
        #expect(error?.reason == "kvmNotAccessible")
        #expect(error?.message.contains("usermod -aG root nobody") == true)
    }
}
