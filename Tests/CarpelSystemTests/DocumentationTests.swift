import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What readers are told to paste.
    @Suite(.serialized) struct DocumentationTests {
        @Test(.timeLimit(.minutes(5))) func theArticlesSessionWorksAsItStands() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            let article = try String(
                contentsOfFile: "\(repository)/Sources/CarpelAPI/CarpelAPI.docc/Protocol.md", encoding: .utf8)
            let start = try #require(article.firstRange(of: "```sh\n")?.upperBound)
            let session = article[start...].prefix(
                upTo: try #require(article[start...].firstRange(of: "```")?.lowerBound))
            try await Node.with(registry: registry) { node, client in
                let script = try node.folder.file("session", "set -euo pipefail\n" + session)
                let output = try await shell(
                    "CARPEL_SOCKET=\"$1\" IMAGE=\"$2\" bash \"$3\"", node.socket, image, script)
                #expect(output.contains("\"runtimeName\": \"carpel\""))
                #expect(output.contains("\nhello from the pod\n"))
                #expect(output.contains("machine: ") && output.contains("start main_0: "))
                let pods = try await client.pods()
                #expect(pods.isEmpty)
            }
        }

        @Test(.timeLimit(.minutes(10))) func theReadmesCommandsForPodsWorkAsTheyStand() async throws {
            let readme = try String(contentsOfFile: "\(repository)/README.md", encoding: .utf8)
            let section = try #require(readme.firstRange(of: "\n## Working with pods\n")?.upperBound)
            let block = try #require(readme[section...].firstRange(of: "```\n")?.upperBound)
            let commands = readme[block...].prefix(while: { $0 != "`" }).split(separator: "\n").map { line in
                line.components(separatedBy: "  #")[0].trimmingCharacters(in: .whitespaces)
            }
            #expect(commands.count > 15)
            let (registry, image) = try await Fixtures.shared.get()
            let network = try await TestNetwork()
            try await Node.with(registry: registry) { node, client in
                let session = ReadmeSession(node: node, client: client, network: network, image: image)
                for command in commands { try await session.use(command) }
                let pods = try await client.pods()
                #expect(pods.isEmpty)
            }
            try await network.remove()
        }

        @Test(.timeLimit(.minutes(5))) func thePythonClientSpeaksToTheDaemon() async throws {
            try await Node.with { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
                let output = try await shell(
                    "python3 \"$1\" --socket \"$2\" \"$3\"", "\(repository)/hack/examples/carpel_client.py",
                    node.socket, testImage)
                #expect(output.contains("carpel \(CarpelVersion.runtime), CRI v1\n"))
                #expect(output.contains("ExecSync: hello\n"))
                #expect(output.contains(#"Exec: exit code 3, stdout b'THROUGH A STREAM\n', stderr b'done\n'"#))
                #expect(output.contains("event: CONTAINER_STARTED_EVENT"))
                #expect(output.contains("the pod is gone: NOT_FOUND, podNotFound\n"))
                let pods = try await client.pods()
                #expect(pods.isEmpty)
            }
        }
    }
}
