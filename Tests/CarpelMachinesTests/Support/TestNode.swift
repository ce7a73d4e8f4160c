import CarpelCore
import CarpelMachines
import Foundation
import Logging
import Testing

/// A folder with a guest, and a hypervisor in it.
struct TestNode: Sendable {
    let place: TestPlace
    let hypervisor: LibvirtHypervisor

    @TaskLocal static var current: TestNode?

    static func shared() throws -> TestNode { try #require(current) }

    init(_ place: TestPlace) async throws {
        self.place = place
        hypervisor = try await LibvirtHypervisor.open(place.configuration, logger: Logger(label: "test"))
    }
}

/// A folder with a guest, which can be handed to another process.
struct TestPlace: Codable, Sendable {
    let folder: String
    let guest: TestGuest

    /// The name is short, since the paths of sockets are.
    init() throws {
        guard TestAccounts.ready else { throw CarpelError(.failedPrecondition, "accounts", "no accounts for QEMU") }
        folder = "/tmp/cm\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        guest = try TestGuest(in: folder)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    var configuration: MachinesConfiguration {
        var configuration = MachinesConfiguration()
        configuration.stateDirectory = "\(folder)/m"
        return configuration
    }

    func podFolder(_ id: String) -> String { "\(folder)/p/\(id)" }

    func spec(_ id: String, disks: [DiskSpec] = []) -> MachineSpec {
        MachineSpec(
            id: id, name: "pod \(id)", guestMemory: .mebibytes(64), kernel: guest.kernel, initramfs: guest.initramfs,
            kernelArguments: TestGuest.kernelArguments, disks: disks, channelPath: "\(podFolder(id))/agent.sock",
            bootLogPath: "\(podFolder(id))/boot.log")
    }

    /// A sparse file of 1 MiB.
    func disk(_ serial: String, readOnly: Bool = true, bus: DiskSpec.Bus = .scsi) throws -> DiskSpec {
        let path = "\(folder)/\(serial).img"
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 1 << 20)
        try file.close()
        return DiskSpec(serial: serial, path: path, readOnly: readOnly, bus: bus)
    }
}

/// One hypervisor for the suite: a process can open one embedded driver only.
struct SharedNode: SuiteTrait, TestScoping {
    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void)
        async throws
    {
        let place = try TestPlace()
        defer { place.remove() }
        let node = try await TestNode(place)
        try await TestNode.$current.withValue(node) { try await body() }
        for machine in try await node.hypervisor.reattach() { try await machine.destroy() }
        await node.hypervisor.close()
    }
}
