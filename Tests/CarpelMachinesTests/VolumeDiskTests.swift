import CarpelCore
import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CarpelMachines

extension RealMachineTests {
    /// Disks of volumes and network interfaces, plugged into machines with the real agent.
    @Suite(.serialized, .enabled(if: AgentPlace.guest != nil, "run hack/guest"))
    struct VolumeDiskTests {
        @Test func diskOfAVolumeIsPluggedInGrownAndUnplugged() async throws {
            let node = try TestNode.shared()
            let agent = try await AgentPlace(node.place)
            let (machine, guest) = try await node.startAgent("grow", agent)
            for format in [DiskSpec.Format.raw, .qcow2] {
                let serial = "volume-\(format.rawValue)"
                let raw = try await agent.file("\(serial).raw", bytes: 48 << 20, "mkfs.ext4 -q -F \"$1\"")
                let path = "\(agent.folder)/\(serial)"
                try await shell("qemu-img convert -O \(format.rawValue) \"$1\" \"$2\"", raw, path)
                let clock = Stopwatch()
                try await machine.attach(DiskSpec(serial: serial, path: path, format: format, readOnly: false))
                clock.lap("attach of a \(format) disk")
                let volume = GuestVolume(name: serial, source: .disk(serial: serial, fileSystem: "ext4"))
                try await guest.call(.addVolume(volume))
                clock.lap("until the guest has mounted it")
                let before = try await capacity(of: serial, guest)

                try await machine.resize(serial: serial, to: .mebibytes(200))
                try await machine.resize(serial: serial, to: .mebibytes(200))
                try await guest.call(.growVolume(name: serial))
                clock.lap("grown")
                let after = try await capacity(of: serial, guest)
                #expect(after > before + UInt64(140 << 20) && after <= UInt64(200 << 20))
                await expectError("diskWouldShrink") {
                    try await machine.resize(serial: serial, to: .mebibytes(100))
                }
                try await guest.startHolder(
                    serial, [.init(source: .volume(name: serial, subPath: ""), destination: "/data")])
                #expect(try await guest.run("echo kept > /data/file; cat /data/file", in: serial) == "kept\n")
                try await guest.call(.removeContainer(id: serial))
                try await guest.call(.removeVolume(name: serial))
                _ = clock.lap("unmounted")
                try await machine.detach(serial: serial)
                clock.lap("detached")
                // QEMU has closed the file: another may open it for writing.
                let size = try await shell(
                    "qemu-io -f \(format.rawValue) -c 'write -q 0 0' \"$1\" && qemu-img info --output=json \"$1\" | jq '.[\"virtual-size\"]'",
                    path)
                #expect(size == "\(200 << 20)\n")
            }
            await expectError("diskNotAttached") { try await machine.resize(serial: "none", to: .mebibytes(1)) }
            try await machine.detach(serial: "none")
            try await machine.destroy()
        }

        @Test func diskThatQEMUsGroupMayWriteKeepsItsOwner() async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("owner"))
            var disk = try node.place.disk("owned", readOnly: false)
            try await shell("chgrp carpel-qemu \"$1\"; chmod 660 \"$1\"", disk.path)
            try await machine.attach(disk)
            #expect(FileStatus(disk.path)?.user == 0)
            disk = try node.place.disk("closed", readOnly: false)
            chmod(disk.path, 0o600)
            try await machine.attach(disk)
            #expect(FileStatus(disk.path)?.user == (try Account(user: "carpel-qemu", group: "carpel-qemu").user))
            try await machine.destroy()
        }

        @Test func limitsOfADiskAreInForce() async throws {
            let node = try TestNode.shared()
            let machine = try await node.hypervisor.start(node.place.spec("limits"))
            var disk = try node.place.disk("limited", readOnly: false)
            var limits = DiskSpec.Limits()
            limits.readBytesPerSecond = 1 << 20
            limits.writeOperationsPerSecond = 100
            disk.limits = limits
            try await machine.attach(disk)
            let target = try await machine.domainXML().split(separator: "\n").first { $0.contains("dev='sd") }
            let name = try #require(target?.split(separator: "'").dropFirst().first)
            let domain = try #require(try node.hypervisor.connection.domain(named: "carpel-limits"))
            // What QEMU itself says, not what the description says.
            #expect(try domain.limits(ofDisk: String(name)) == limits)
            limits.readBytesPerSecond = 0
            disk.limits = limits
            disk.serial = "other"
            await expectError("diskLimits") { [disk] in try await machine.attach(disk) }
            try await machine.destroy()
        }

        @Test func interfaceIsPluggedInReachedAndUnplugged() async throws {
            let node = try TestNode.shared()
            let agent = try await AgentPlace(node.place)
            let (machine, guest) = try await node.startAgent("nic", agent)
            let network = try await TestNetwork()
            let interface = InterfaceSpec(tap: network.tap, macAddress: "52:54:00:AB:00:01", mtu: 1400)
            let clock = Stopwatch()
            try await machine.attach(interface)
            clock.lap("attach of an interface")
            let card = SandboxConfiguration.Interface(
                hardwareAddress: interface.macAddress, name: "eth1", mtu: 1400, addresses: ["198.51.100.2/24"])
            try await guest.call(.configureInterfaces([card]))
            clock.lap("until the guest has set it up")
            try await machine.attach(interface)
            #expect(try await machine.attachedInterfaces() == ["52:54:00:ab:00:01"])
            #expect(try await interfaces(guest) == [card])
            try await network.takeTap(address: "198.51.100.1/24")
            #expect(try await network.ping("198.51.100.2").contains(" 0% packet loss"))
            // Set up once more it stays as it is: nothing on the way is lost.
            try await guest.call(.configureInterfaces([card]))
            #expect(try await network.ping("198.51.100.2").contains(" 0% packet loss"))
            await expectError("macAddressInUse") {
                try await machine.attach(InterfaceSpec(tap: "other", macAddress: interface.macAddress))
            }
            await expectError("tapMissing") {
                try await machine.attach(InterfaceSpec(tap: "other", macAddress: "52:54:00:ab:00:02"))
            }
            try await guest.call(.removeInterface(hardwareAddress: interface.macAddress))
            _ = clock.lap("tested")
            try await machine.detach(macAddress: interface.macAddress)
            clock.lap("detach of an interface")
            try await machine.detach(macAddress: interface.macAddress)
            #expect(try await machine.attachedInterfaces() == [])
            #expect(try await interfaces(guest) == [])
            try await network.remove()

            // Some more at once, in the slots that are free again.
            let taps = try await TestNetwork.taps(3)
            try await withThrowingTaskGroup { group in
                for (index, tap) in taps.enumerated() {
                    group.addTask {
                        try await machine.attach(InterfaceSpec(tap: tap, macAddress: "52:54:00:ab:01:0\(index)"))
                    }
                }
                try await group.waitForAll()
            }
            try await guest.call(
                .configureInterfaces(
                    taps.indices.map {
                        .init(
                            hardwareAddress: "52:54:00:ab:01:0\($0)", name: "net\($0)",
                            addresses: ["192.0.2.\($0 + 1)/32"])
                    }))
            #expect(try await interfaces(guest).map(\.name) == ["net0", "net1", "net2"])
            try await machine.destroy()
            try await TestNetwork.remove(taps)
        }

        private func capacity(of volume: String, _ guest: GuestConnection) async throws -> UInt64 {
            guard case .volumeUsage(let usage) = try await guest.call(.volumeUsage(name: volume)) else { return 0 }
            return usage.capacityBytes
        }

        private func interfaces(_ guest: GuestConnection) async throws -> [SandboxConfiguration.Interface] {
            guard case .state(let state) = try await guest.call(.state) else { return [] }
            return state.interfaces ?? []
        }
    }
}

/// A network namespace, and a tap device that is moved there once QEMU has it.
private struct TestNetwork {
    let tap: String
    private let name: String

    init() async throws {
        name = "carpel-\(UInt32.random(in: 0 ... .max))"
        tap = try await Self.taps(1)[0]
        try await shell("ip netns add \(name)")
    }

    static func taps(_ count: Int) async throws -> [String] {
        var names: [String] = []
        for _ in 0..<count {
            let name = "cpt\(UInt32.random(in: 0 ... .max))"
            try await shell("ip tuntap add \(name) mode tap")
            names.append(name)
        }
        return names
    }

    static func remove(_ taps: [String]) async throws {
        for tap in taps { try await shell("ip link del \(tap)") }
    }

    func takeTap(address: String) async throws {
        try await shell(
            """
            set -e; ip link set \(tap) netns \(name)
            ip -n \(name) addr add \(address) dev \(tap); ip -n \(name) link set \(tap) up
            """)
    }

    func ping(_ address: String) async throws -> String {
        try await shell("ip netns exec \(name) busybox ping -c 2 -W 10 \(address)")
    }

    func remove() async throws { try await shell("ip -n \(name) link del \(tap); ip netns del \(name)") }
}
