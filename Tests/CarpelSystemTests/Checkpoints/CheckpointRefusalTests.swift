import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct CheckpointRefusalTests {
        @Test func whatCannotBeSavedOrRestoredIsRefusedAndLeavesNothing() async throws {
            try await withPlainNode { node, client in
                let saved = try await client.runPod(countingPod("saved"))
                let config = countingContainer("counter", ["sh", "-c", countingScript])
                let counter = try await client.runContainer(in: saved, config)
                let second = try await client.runContainer(in: saved, countingContainer("second", ["sleep", "1000"]))
                let folder = try node.newFolder("checkpoint")
                await expectRefusal("fieldMissing") { try await client.checkpoint(saved, [], folder) }
                await expectRefusal("containerNamedTwice") {
                    try await client.checkpoint(saved, [counter, counter, second], folder)
                }
                await expectRefusal("containersIncomplete") { try await client.checkpoint(saved, [counter], folder) }
                await expectRefusal("containerNotFound") { try await client.checkpoint(saved, [counter, "x"], folder) }
                try await client.stopContainer(second, timeout: 0)
                await expectRefusal("containerNotRunning") {
                    try await client.checkpoint(saved, [counter, second], folder)
                }
                await expectRefusal("checkpointPathInvalid") {
                    try await client.checkpoint(saved, [counter], "relative")
                }
                await expectRefusal("checkpointFolderMissing") {
                    try await client.checkpoint(saved, [counter], "\(folder)/none")
                }
                await expectRefusal("checkpointFolderNotEmpty") {
                    try await client.checkpoint(saved, [counter], node.folder.path)
                }
                await expectRefusal("optionUnknown") {
                    try await client.checkpoint(saved, [counter], folder, ["a": "b"])
                }
                await expectRefusal("containerCheckpointUnsupported") {
                    _ = try await client.call(
                        Methods.checkpointContainer,
                        CheckpointContainerRequest {
                            $0.containerId = counter
                            $0.location = "\(folder)/archive"
                        })
                }
                // A folder that is too small for the machine's memory.
                try await shell("mount -t tmpfs -o size=4m small \"$1\"", folder)
                let full = await #expect(throws: CarpelError.self) {
                    try await client.checkpoint(saved, [counter], folder)
                }
                #expect(["machineNotSaved", "noSpace"].contains(full?.reason), "\(full?.message ?? "")")
                #expect(try fileNames(in: folder).isEmpty)
                try await shell("umount \"$1\"", folder)
                try await client.goesOn(counter)

                // By the command line, which goes on with `restore`.
                let carpel = "\"$1/.build/debug/carpel\" --socket \"$2\""
                let output = try await shell("\(carpel) checkpoint saved \"$3\"", repository, node.socket, folder)
                #expect(output.contains("stood still for") && output.hasSuffix("\(folder)\n"))
                #expect(try fileNames(in: folder).contains("checkpoint.json"))
                try await client.goesOn(counter)
                #expect(
                    try await shell("\(carpel) debug domain saved", repository, node.socket).contains("<domain "))
                _ = try await shell("\(carpel) console saved", repository, node.socket)

                try await refusesToRestore(node, client, folder, config)

                let restored = try await shell(
                    "\(carpel) restore --name again --start \"$3\"", repository, node.socket, folder)
                let again = try #require(try await client.pods().first { $0.metadata?.name == "again" })
                #expect(restored.hasSuffix("\(again.id)\n"))
                let other = try #require(try await client.containers().first { $0.podSandboxId == again.id })
                try await client.goesOn(other.id)
            }
        }

        /// Each time nothing is left but the pod that was saved.
        private func refusesToRestore(
            _ node: Node, _ client: CarpelClient, _ folder: String, _ config: ContainerConfig
        ) async throws {
            let machines = try await node.machineProcesses()
            func refuses(
                _ reason: String, _ containers: [ContainerConfig], _ name: String = "copy", from path: String,
                sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                await expectRefusal(reason, sourceLocation: sourceLocation) {
                    _ = try await client.restore(path, countingPod(name), containers)
                }
                #expect(try await client.pods().count == 1, sourceLocation: sourceLocation)
                #expect(try await client.containers().count == 2, sourceLocation: sourceLocation)
                #expect(try await node.machineProcesses() == machines, sourceLocation: sourceLocation)
                for folder in ["\(node.root)/pods", "\(node.state)/pods", "\(node.state)/shared"] {
                    let left = try fileNames(in: folder).filter { !$0.hasSuffix(".points") }
                    #expect(left.count == 1, "\(folder)", sourceLocation: sourceLocation)
                }
            }
            try await refuses("checkpointFolderMissing", [config], from: "\(folder)/none")
            try await refuses("fieldMissing", [], from: folder)
            try await refuses("checkpointMismatch", [countingContainer("other", config.command)], from: folder)
            try await refuses(
                "checkpointMismatch", [config, countingContainer("second", ["sleep", "1000"])], from: folder)
            try await refuses("checkpointMismatch", [countingContainer("counter", ["sleep", "1"])], from: folder)
            try await refuses("podNameTaken", [config], "saved", from: folder)
            var privileged = config
            privileged.linux = LinuxContainerConfig {
                $0.securityContext = LinuxContainerSecurityContext { $0.readonlyRootfs = true }
            }
            try await refuses("checkpointMismatch", [privileged], from: folder)
            for (name, reason, damage) in [
                ("cut", "checkpointDamaged", "truncate -s -1 machine.state"),
                ("changed", "checkpointDamaged", "printf x | dd of=scratch.raw bs=1 seek=1M conv=notrunc status=none"),
                ("gone", "checkpointDamaged", "rm volume-1.raw"),
                ("words", "checkpointDamaged", "echo no >checkpoint.json"),
                ("format", "checkpointOtherFormat", "sed -i 's/\"version\" : 1/\"version\" : 99/' checkpoint.json"),
                (
                    "kernel", "checkpointOfOtherNode",
                    "sed -i 's/\"kernel\" : \"sha256:..../\"kernel\" : \"sha256:zzzz/' checkpoint.json"
                ),
                (
                    "qemu", "machineShapeMismatch",
                    "sed -i 's/\"qemu\" : \"[^\"]*\"/\"qemu\" : \"1.0.0\"/' checkpoint.json"
                ),
                (
                    "image", "imagesMissing",
                    "sed -i '/\"images\"/,/]/ s/sha256:..../sha256:0000/' checkpoint.json"
                ),
            ] {
                let damaged = "\(node.folder.path)/\(name)"
                try await shell("cp -r --sparse=always \"$1\" \"$2\" && cd \"$2\" && \(damage)", folder, damaged)
                try await refuses(reason, [config], from: damaged)
            }
        }
    }
}
