import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct DebugTests {
        private static let secret = "hunter2-hunter2"

        @Test(.timeLimit(.minutes(5))) func aBundleHoldsWhatIsAskedForAndNoSecret() async throws {
            let folder = try TemporaryFolder()
            let plugins = try installPlugins(["storage-local"], in: folder)
            let settings = """
                networks: { default: none }
                plugins: { folders: [\(plugins)], configurations: { other: { token: \(Self.secret) } } }

                """
            try await Node.with(settings: settings, folder: folder) { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
                let config = containerConfig("main", testImage, ["sleep", "1000"]) {
                    $0.envs = [
                        KeyValue {
                            $0.key = "DB_PASSWORD"
                            $0.value = Data(Self.secret.utf8)
                        }
                    ]
                    $0.args = ["--token", Self.secret]
                    $0.labels = ["api-key": Self.secret]
                }
                let sandbox = podConfig { $0.annotations = ["registry-auth": Self.secret] }
                let pod = try await client.runPod(sandbox, [config])

                let archive = "\(folder.path)/bundle.tar.gz"
                let carpel = "\(repository)/.build/debug/carpel"
                let printed = try await shell(
                    "\"$1\" debug bundle --socket \"$2\" -o \"$3\"", carpel, node.socket, archive)
                #expect(printed.hasSuffix("\(archive)\n"))
                #expect(try await shell("stat -c %a \"$1\"", archive) == "600\n")
                try await shell(
                    "mkdir \"$2\" && tar -xzf \"$1\" -C \"$2\" --strip-components=1", archive, "\(folder.path)/bundle")
                let files = try await shell("cd \"$1\" && find . -type f", "\(folder.path)/bundle")
                let place = "./pods/\(pod.podSandboxId.prefix(13))"
                for file in [
                    "./README.txt", "./version.json", "./status.json", "./doctor.json", "./pods.json", "./plugins.json",
                    "./plugins/storage-local.json", "./node/kernel.txt", "\(place)/status.json", "\(place)/trace.txt",
                    "\(place)/boot.log", "\(place)/container-\(pod.containerIds[0].prefix(13)).json",
                ] { #expect(files.contains(file + "\n"), "\(file) is not in\n\(files)") }
                for form in [Self.secret, Data(Self.secret.utf8).base64EncodedString()] {
                    let found = try await shell("grep -rl -- \"$2\" \"$1\" || true", "\(folder.path)/bundle", form)
                    #expect(found == "")
                }
                #expect(
                    try String(contentsOfFile: "\(folder.path)/bundle/\(place)/trace.txt", encoding: .utf8).contains(
                        "█"))

                let trace = try await shell("\"$1\" debug trace --socket \"$2\" web", carpel, node.socket)
                #expect(trace.contains("machine ") && trace.contains("start main_0 ") && trace.contains("total "))
            }
        }

        @Test func aBundleIsMadeWithoutADaemonToo() async throws {
            let folder = try TemporaryFolder()
            let archive = "\(folder.path)/bundle.tar.gz"
            try await shell(
                "\"$1\" debug bundle --socket \"$2/none.sock\" -o \"$3\"", "\(repository)/.build/debug/carpel",
                folder.path, archive)
            let missing = try await shell("tar -xzOf \"$1\" --wildcards '*/missing.txt'", archive)
            #expect(missing.contains("the daemon: "))
        }

        @Test func aCallOfAStreamPrintsAnItemALine() async throws {
            try await withFakeNode { node, _ in
                let output = try await shell(
                    "\"$1\" api call --socket \"$2\" StreamImages '{}'", "\(repository)/.build/debug/carpel",
                    node.paths.socket)
                let lines = output.split(separator: "\n")
                #expect(lines.count == 1 && lines[0].contains(testImage))
            }
        }
    }
}
