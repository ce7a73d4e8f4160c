import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct BadInputTests {
        /// Sends lines as a stranger would, and returns the answers.
        private func send(_ lines: [String], to node: Node, as user: Int = 0) async throws -> [[String: Any]] {
            let input = try node.folder.file("input", lines.joined(separator: "\n") + "\n")
            let output = try await shell(
                "setpriv --reuid=\"$3\" --regid=\"$3\" --clear-groups socat -t 20 - \"UNIX-CONNECT:$1\" < \"$2\"",
                node.socket, input, "\(user)")
            return try output.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }

        private func reasons(_ answers: [[String: Any]]) -> Set<String> {
            Set(
                answers.compactMap {
                    (($0["error"] as? [String: Any])?["data"] as? [String: Any])?["reason"] as? String
                })
        }

        @Test func malformedMessagesLeaveTheConnectionUsable() async throws {
            try await Node.with { node, _ in
                let answers = try await send(
                    [
                        "{", "nonsense", "[]", #"{"jsonrpc":"2.0","id":1,"method":"Nope"}"#,
                        #"{"jsonrpc":"2.0","id":2,"method":"ListContainers","params":{"filter":5}}"#,
                        String(repeating: "x", count: (16 << 20) + 1),
                        String(repeating: "[", count: 70), #"{"jsonrpc":"2.0","id":3,"method":"Version"}"#,
                    ], to: node)
                #expect(
                    reasons(answers) == [
                        "parseError", "invalidRequest", "methodNotFound", "invalidParams", "messageTooLong",
                        "nestedTooDeep",
                    ])
                #expect(answers.contains { ($0["id"] as? Int) == 3 && $0["result"] != nil })
            }
        }

        @Test func strangersAreKeptOutAndViewersMayOnlyLook() async throws {
            try await Node.with(settings: "socket: { viewUsers: [1] }\n") { node, _ in
                await #expect(throws: SupportError.self) {
                    try await send([#"{"jsonrpc":"2.0","id":1,"method":"Version"}"#], to: node, as: 1)
                }
                chmod(node.socket, 0o666)
                chmod(node.folder.path, 0o755)
                let lines = [
                    #"{"jsonrpc":"2.0","id":1,"method":"Version"}"#,
                    #"{"jsonrpc":"2.0","id":2,"method":"RemovePodSandbox","params":{"podSandboxId":"x"}}"#,
                ]
                let viewer = try await send(lines, to: node, as: 1)
                #expect(viewer.contains { ($0["id"] as? Int) == 1 && $0["result"] != nil })
                #expect(reasons(viewer) == ["roleMissing"])
                #expect(reasons(try await send(lines, to: node, as: 65534)) == ["roleMissing"])
            }
        }

        @Test func idsThatAreUnknownAreToldOrFineAsCRISays() async throws {
            try await Node.with { _, client in
                try await client.stopPod("nope")
                try await client.removePod("nope")
                try await client.stopContainer("nope", timeout: 1)
                try await client.removeContainer("nope")
                for call in [
                    { _ = try await client.podStatus("nope") }, { _ = try await client.containerStatus("nope") },
                    { try await client.startContainer("nope") }, { _ = try await client.exec("nope", "ls") },
                    { _ = try await client.createContainer(in: "nope", containerConfig("a", "b", [])) },
                ] as [() async throws -> Void] {
                    await #expect { try await call() } throws: { ($0 as? CarpelError)?.code == .notFound }
                }
                for call in [
                    { _ = try await client.podStatus("") }, { try await client.stopPod("") },
                    { try await client.startContainer("") },
                ] as [() async throws -> Void] {
                    await #expect { try await call() } throws: { ($0 as? CarpelError)?.reason == "fieldMissing" }
                }
            }
        }

        @Test func whatCarpelCannotHonourIsRefusedByField() async throws {
            try await Node.with { _, client in
                func refusal(_ set: (inout PodSandboxConfig) -> Void) async -> CarpelError? {
                    do {
                        _ = try await client.runPod(podConfig("bad", set))
                        return nil
                    } catch { return error as? CarpelError }
                }
                let hostNetwork = await refusal {
                    $0.linux = LinuxPodSandboxConfig {
                        $0.securityContext = LinuxSandboxSecurityContext {
                            $0.namespaceOptions = NamespaceOption { $0.network = .NODE }
                        }
                    }
                }
                #expect(hostNetwork?.code == .unimplemented)
                #expect(hostNetwork?.field == "config.linux.securityContext.namespaceOptions.network")
                let ports = await refusal {
                    $0.portMappings = [
                        PortMapping {
                            $0.containerPort = 80; $0.hostPort = 8080
                        }
                    ]
                }
                #expect(ports?.reason == "hostPortsNeedNetwork" && ports?.field == "config.portMappings")
                let memory = await refusal {
                    $0.linux = LinuxPodSandboxConfig {
                        $0.resources = LinuxContainerResources { $0.memoryLimitInBytes = 1 << 20 }
                    }
                }
                #expect(memory?.code == .invalidArgument)
                let nameless = await refusal { $0.metadata = nil }
                #expect(nameless?.code == .invalidArgument)
                let pods = try await client.pods()
                #expect(pods.isEmpty)
            }
        }

        @Test func badImagesAreToldApart() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                func refusal(_ reference: String) async -> CarpelError? {
                    do {
                        try await client.pull(reference)
                        return nil
                    } catch { return error as? CarpelError }
                }
                #expect(await refusal("\(registry.address)/test/none:1")?.code == .notFound)
                #expect(await refusal("example/UPPER")?.code == .invalidArgument)
                #expect(await refusal("127.0.0.1:1/a:1")?.code == .unavailable)
                #expect(await refusal("")?.code == .invalidArgument)
                let absent = try await client.call(
                    Methods.imageStatus, ImageStatusRequest { $0.image = ImageSpec { $0.image = image } })
                #expect(absent.image == nil)
                try await client.pull(image)
                let images = try await client.images()
                #expect(images.count == 1 && images[0].repoTags == [image] && images[0].size > 0)
            }
        }

        @Test func badContainersAreRefusedAndLeaveNothing() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                func refusal(_ config: ContainerConfig) async -> CarpelError? {
                    do {
                        _ = try await client.runContainer(in: pod, config)
                        return nil
                    } catch { return error as? CarpelError }
                }
                #expect(await refusal(containerConfig("a", "absent:1", ["true"]))?.reason == "imageNotFound")
                let mount = await refusal(
                    containerConfig("b", image, ["true"]) {
                        $0.mounts = [
                            Mount {
                                $0.hostPath = "/etc"; $0.containerPath = "/x"
                                $0.propagation = .PROPAGATION_BIDIRECTIONAL
                            }
                        ]
                    })
                #expect(mount?.field == "config.mounts[0].propagation" && mount?.code == .unimplemented)
                #expect(try await client.containers().isEmpty)

                #expect(await refusal(containerConfig("c", image, ["nonexistent"]))?.reason == "commandNotFound")
                let user = await refusal(
                    containerConfig("d", image, ["true"]) {
                        $0.linux = LinuxContainerConfig {
                            $0.securityContext = LinuxContainerSecurityContext { $0.runAsUsername = "bob" }
                        }
                    })
                #expect(user?.reason == "userNotFound")
                #expect(
                    try await client.exec(
                        try await client.runContainer(in: pod, containerConfig("e", image, ["sleep", "99"])), "true"
                    ).code == 0)
            }
        }

        @Test func aNodeThatCannotStartMachinesSaysWhy() async throws {
            let settings = "guest: { kernel: /nowhere/vmlinux, initramfs: /nowhere/initramfs }\n"
            try await Node.with(settings: settings) { _, client in
                await #expect { try await client.runPod() } throws: {
                    ($0 as? CarpelError)?.code == .failedPrecondition
                        && ($0 as? CarpelError)?.message.contains("/nowhere/vmlinux") == true
                }
                let pods = try await client.pods()
                #expect(pods.isEmpty)
                let conditions = try await client.call(Methods.status, StatusRequest()).status?.conditions ?? []
                #expect(conditions.contains { $0.type == "RuntimeReady" && !$0.status && $0.reason == "GuestMissing" })
                let checks = try await client.call(Methods.doctor, DoctorRequest()).checks
                #expect(
                    checks.contains {
                        $0.outcome == .FAILED && $0.finding.contains("/nowhere/vmlinux") && !$0.fix.isEmpty
                    })
            }
        }

        @Test func aFullDiskIsToldAndLeavesNothing() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            let folder = try TemporaryFolder()
            try await shell("mkdir \"$1/root\" && mount -t tmpfs -o size=700k,mode=711 tmpfs \"$1/root\"", folder.path)
            defer { Task { try await shell("umount -l \"$1/root\"", folder.path) } }
            try await Node.with(registry: registry, folder: folder) { node, client in
                try await shell("dd if=/dev/zero of=\"$1/root/fill\" bs=4k status=none; true", folder.path)
                await #expect { try await client.pull(image) } throws: { ($0 as? CarpelError)?.reason == "noSpace" }
                let images = try await client.images()
                #expect(images.isEmpty)
                await #expect { try await client.runPod() } throws: { ($0 as? CarpelError)?.code == .resourceExhausted }
                let pods = try await client.pods()
                #expect(pods.isEmpty)
                #expect(try await node.machineProcesses().isEmpty)
            }
        }
    }
}
