import CLibvirt
import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelMachines

struct LibvirtDriverTests {
    @Test func libvirtsErrorsHaveStableReasons() {
        func reason(_ number: virErrorNumber, _ message: String = "said") -> String {
            let error = CarpelError.libvirt("doing", number, message)
            #expect(error.message.hasPrefix("doing: \(message)"))
            return "\(error.code.rawValue) \(error.reason)"
        }
        #expect(reason(VIR_ERR_NO_DOMAIN) == "NOT_FOUND machineGone")
        #expect(
            reason(VIR_ERR_OPERATION_FAILED, "domain 'a' already exists with uuid b") == "ALREADY_EXISTS machineExists")
        #expect(reason(VIR_ERR_OPERATION_TIMEOUT) == "DEADLINE_EXCEEDED libvirtBusy")
        #expect(reason(VIR_ERR_OPERATION_INVALID) == "FAILED_PRECONDITION machineNotRunning")
        #expect(reason(VIR_ERR_XML_ERROR) == "INTERNAL domainRejected")
        #expect(reason(VIR_ERR_INTERNAL_ERROR) == "UNAVAILABLE libvirtFailed")
        #expect(reason(VIR_ERR_INVALID_ARG, "Failed to parse user 'qemu'") == "FAILED_PRECONDITION libvirtUserMissing")
        #expect(
            CarpelError.libvirt("opening", VIR_ERR_INVALID_ARG, "Failed to parse user 'qemu'").message
                .hasSuffix("'useradd --system --user-group qemu'"))
    }

    @Test func embeddedDriverGoesWithoutControlGroupsThatItCannotWrite() {
        let root = EmbedRoot(path: "/run/x", user: "u", group: "g")
        let writable = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\ntmpfs /tmp tmpfs ro 0 0\n"
        #expect(!root.configuration(mounts: writable).contains("cgroup_controllers"))
        let readOnly = "cgroup2 /sys/fs/cgroup cgroup2 ro,nosuid 0 0\n"
        #expect(EmbedRoot.readOnlyControlGroups(mounts: readOnly) == ["/sys/fs/cgroup"])
        #expect(root.configuration(mounts: readOnly).contains("cgroup_controllers = [ ]\n"))
        #expect(root.configuration(mounts: "").contains("user = \"u\"\ngroup = \"g\"\n"))
    }

    @Test func pathOfAnEmbeddedDriverIsEscapedInItsAddress() {
        var configuration = MachinesConfiguration()
        configuration.stateDirectory = "/run/a b?c"
        #expect(DriverPlace(configuration).uri == "qemu:///embed?root=/run/a%20b%3Fc")
        configuration.driver = .system
        #expect(DriverPlace(configuration).uri == "qemu:///system")
    }

    @Test func stateDirectoryWhoseSocketsWouldNotFitIsRefused() async throws {
        let account = try Account(user: "nobody", group: "nogroup")
        let root = EmbedRoot(path: "/run/" + String(repeating: "x", count: 44), user: "u", group: "g")
        await expectError("pathTooLong") { try root.prepare(account: account, logger: .init(label: "test")) }
    }

    @Test func callThatHangsIsGivenUpAndItsLateResultIsHandedOver() async throws {
        let calls = BlockingCalls(threads: 1)
        defer { calls.close() }
        let (late, results) = AsyncStream<Int>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        await expectError("libvirtTimeout") {
            _ = try await calls.run("waiting", timeout: .milliseconds(20), late: { results.yield($0) }) {
                gate.wait()
                return 7
            }
        }
        gate.signal()
        #expect(await late.first { _ in true } == 7)
        #expect(try await calls.run("adding", timeout: .seconds(5)) { 1 + 1 } == 2)
    }

    @Test func oneShotWaiterIsReleasedByItsValueOrItsCancellation() async {
        let shot = OneShot<Int>()
        let waiter = Task { await shot.wait() }
        let cancelled = Task { await shot.wait() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        shot.fulfil(1)
        shot.fulfil(2)
        #expect(await waiter.value == 1)
        #expect(await shot.wait() == 1)
    }

    @Test func serialOperationsNeverOverlap() async throws {
        let operations = SerialOperations()
        let running = Counter()
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    try await operations.run {
                        #expect(await running.enter() == 1)
                        await Task.yield()
                        await running.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func consoleOfAPanicStartsWithThePanic() throws {
        let path = "/tmp/console-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(path) }
        let trace = (0..<50).map { "  frame \($0)" }.joined(separator: "\n")
        try Data("booting\nKernel panic - not syncing: oops\n\(trace)\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(LogTail.console(path).hasPrefix("Kernel panic - not syncing: oops\n  frame 0\n"))
        #expect(LogTail.console("/no/such/file") == "")
    }

    @Test func logOfQEMUIsToldWithoutItsCommandLine() throws {
        let path = "/tmp/qemu-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(path) }
        let log = """
            2026-01-01 00:00:00.000+0000: starting up libvirt version: 9.0.0, package: 9
            LC_ALL=C \\
            PATH=/bin \\
            /usr/bin/qemu-system-x86_64 \\
            -name guest=x \\
            -msg timestamp=on
            qemu-system-x86_64: no such disk
            """
        try Data(log.utf8).write(to: URL(fileURLWithPath: path))
        #expect(LogTail.qemu(path) == "qemu-system-x86_64: no such disk")
    }

    private actor Counter {
        private var value = 0
        func enter() -> Int { value += 1; return value }
        func leave() { value -= 1 }
    }
}
