import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

/// The plugin and the CNI plugins that it runs, without root's powers.
@Suite(.serialized) struct ConfinementTests {
    /// Runs the rest of a line as a user who has nothing but the manifest's capabilities, as the plugin host does.
    private func confinement() throws -> String {
        struct Manifest: Decodable { let capabilities: [String] }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(repository)/plugins/network-cni/plugin.json"))
        let capabilities = try JSONDecoder().decode(Manifest.self, from: bytes).capabilities
            .map { "+" + $0.lowercased().replacing("cap_", with: "") }.joined(separator: ",")
        return "setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs "
            + ["inh-caps", "ambient-caps", "bounding-set"].map { "--\($0)=-all,\(capabilities)" }.joined(separator: " ")
    }

    @Test func theManifestsCapabilitiesAreEnoughForDebiansPlugins() async throws {
        // Root's folder, as the add-ons and the packages make it.
        let conflist = Networks.bridged.replacing("@/addresses", with: "/var/lib/cni/networks")
        let node = try await Node(["10-pods.conflist": conflist])
        try await node.run(
            """
            mkdir -p /var/lib/cni && mount -t tmpfs -o mode=755 none /var/lib/cni && chown nobody \(node.stateFolder)
            chmod 711 @/
            """)
        let plugin = try await node.start(confinement: try confinement())
        let ports = [PortMapping(transport: .tcp, hostPort: 8080, containerPort: 80)]
        let limit = Bandwidth(ingressBitsPerSecond: 1_000_000_000, egressBitsPerSecond: 1_000_000_000)
        let attachment = try await plugin.add(.pod("pod", ports: ports, bandwidth: limit))
        let guest = try await Guest(attachment, on: node)
        for address in ["10.22.0.1", "fd00:22::1"] { try await guest.run("ping -c 1 -W 5 \(address)") }
        #expect(try await node.run("stat -c %U /var/lib/cni/networks/pods/10.22.0.2") == "nobody\n")

        try await plugin.delete(.pod("pod"))
        try await expectNothingLeft(on: node)
        #expect(try await node.run("ls /var/lib/cni/networks/pods").contains("10.22.0.2") == false)
    }

    @Test func withoutNetAdminTheErrorNamesThePrivilege() async throws {
        let node = try await Node(["10-pods.conflist": Networks.bridged])
        try await node.run("chown nobody \(node.stateFolder)")
        let plugin = try await node.start(
            confinement: try confinement().replacing("+net_admin,", with: ""))
        await expectRefusal(.permissionDenied, "privilegeMissing", "Operation not permitted") {
            _ = try await plugin.add(.pod("pod"))
        }
    }

    @Test func theMachinesGroupAndNobodyElseMayOpenTheTapDevice() async throws {
        let node = try await Node(["10-pods.conflist": Networks.checked])
        let plugin = try await node.start(group: 4242)
        let attachment = try await plugin.add(.pod("pod"))
        // TUNSETIFF with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR.
        let opening = """
            import fcntl, struct
            device = struct.pack('16sH22x', b'\(attachment.device)', 0x5002)
            fcntl.ioctl(open('/dev/net/tun', 'r+b', 0), 0x400454ca, device)
            """
        let program = try node.folder.file("open.py", opening)
        try await node.run("chmod 711 @/ && chmod 644 \(program)")
        func open(asGroup group: Int) async throws {
            try await node.run(
                "setpriv --reuid nobody --regid \(group) --clear-groups --bounding-set=-all --inh-caps=-all "
                    + "/usr/bin/python3 \(program)")
        }
        try await open(asGroup: 4242)
        await #expect(throws: (any Error).self) { try await open(asGroup: 4243) }
    }
}
