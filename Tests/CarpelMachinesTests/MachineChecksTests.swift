import Foundation
import Testing

@testable import CarpelMachines

struct MachineChecksTests {
    private func checks(_ configuration: MachinesConfiguration, kernel: String = "/bin/true") async -> [String:
        MachineCheck]
    {
        let checks = await MachineChecks(configuration, kernel: kernel, initramfs: "/bin/true").run()
        return Dictionary(uniqueKeysWithValues: checks.map { ($0.name, $0) })
    }

    @Test func hostThatRunsTheseTestsHasWhatMachinesNeed() async throws {
        #expect(TestAccounts.ready)
        let checks = await checks(MachinesConfiguration())
        for name in ["qemuUser", "qemu", "libvirtDriver", "kernel", "initramfs", "stateDirectory"] {
            #expect(checks[name]?.level == .ok, "\(checks[name]?.what ?? "no check \(name)")")
        }
        #expect(checks["accelerator"]?.level != .fail)
        #expect(checks["versions"] == nil)
    }

    @Test func whatIsMissingIsFoundWithAFix() async throws {
        var configuration = MachinesConfiguration()
        configuration.qemuUser = "no-such-user"
        configuration.emulator = "/no/qemu"
        configuration.stateDirectory = "/" + String(repeating: "x", count: 60)
        let checks = await checks(configuration, kernel: "/no/vmlinux")
        for name in ["qemuUser", "qemu", "stateDirectory", "kernel", "accelerator"] {
            #expect(checks[name]?.level == .fail, "\(name)")
            #expect(checks[name]?.fix != nil, "\(name)")
        }
    }
}
