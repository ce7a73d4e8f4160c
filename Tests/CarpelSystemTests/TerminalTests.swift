import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// `carpel` as people use it: in a terminal, and in pipes.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct TerminalTests {
        private static let carpel = "\(repository)/.build/debug/carpel"

        private func terminal(_ node: Node, _ arguments: String...) throws -> TerminalProcess {
            try TerminalProcess(Self.carpel, arguments, environment: ["CARPEL_SOCKET": node.socket])
        }

        /// Runs a command line in which `$carpel` is the program.
        private func run(_ node: Node, _ line: String) async throws -> String {
            try await shell("export CARPEL_SOCKET=\"$1\"; carpel=\"$2\"; \(line)", node.socket, Self.carpel)
        }

        /// A pod `web` whose only container sleeps.
        private func withWeb(_ body: (Node, CarpelClient, _ image: String, _ container: String) async throws -> Void)
            async throws
        {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("main", image, ["sleep", "100000"]))
                try await body(node, client, image, id)
            }
        }

        @Test func aShellInATerminalGetsKeysAndSizes() async throws {
            try await withWeb { node, _, _, _ in
                let program = try terminal(node, "exec", "-it", "web", "sh")
                try await program.waits(for: "# ")
                #expect(!program.isCooked)
                program.type("stty size\r")
                try await program.waits(for: "24 80\r\n")
                program.resize(rows: 40, columns: 120)
                // The new size reaches the pod in its own time.
                try await eventually("the size changes") {
                    program.type("stty size\r")
                    return (try? await program.waits(for: "40 120\r\n")) != nil
                }
                program.type("sleep 1234 || echo stopped $?\r")
                try await program.waits(for: "echo stopped $?\r\n")
                try await eventually("the command runs") {
                    try await run(node, "\"$carpel\" exec web ps").contains("sleep 1234")
                }
                program.type("\u{3}")
                try await program.waits(for: "# ")
                program.type("exit 42\r")
                #expect(try await program.end() == 42)
                #expect(program.isCooked)
            }
        }

        @Test func aSignalEndsTheClientAndItsCommandAndTheTerminalIsAsBefore() async throws {
            try await withWeb { node, _, _, _ in
                let killed = try terminal(node, "exec", "-it", "web", "sh", "-c", "trap '' HUP; echo ready; sleep 4321")
                try await killed.waits(for: "ready")
                try killed.signal(SIGTERM)
                #expect(try await killed.end() == 143)
                #expect(killed.isCooked)
                try await eventually("the command has ended with its client") {
                    try await !run(node, "\"$carpel\" exec web ps").contains("sleep 4321")
                }
            }
        }

        @Test func bytesAndExitCodesPassThroughPipes() async throws {
            try await withWeb { node, _, _, _ in
                let output = try await run(
                    node,
                    """
                    head -c 3000000 /dev/urandom > "$1.data"
                    "$carpel" exec -i web cat < "$1.data" | cmp - "$1.data" && echo same
                    "$carpel" exec web sh -c 'echo out; echo err >&2; exit 3' 2>/dev/null; echo $?
                    "$carpel" exec web missing 2>/dev/null; echo $?
                    echo unread | "$carpel" exec web cat; echo $?
                    "$carpel" exec --timeout 1 web sleep 54321 2>/dev/null; echo $?
                    while "$carpel" exec web ps | grep -q 'sleep 5432[1]'; do :; done
                    """)
                #expect(output == "same\nout\n3\n127\n0\n125\n")
            }
        }

        @Test func filesAndFoldersAreCopiedBothWays() async throws {
            try await withWeb { node, _, _, _ in
                let output = try await run(
                    node,
                    """
                    mkdir -p "$1.d/tree/sub" && cd "$1.d"
                    echo one > tree/file; echo two > tree/sub/run; chmod 750 tree/sub/run; ln -s ../file tree/sub/link
                    "$carpel" cp tree web:/tmp
                    "$carpel" exec web sh -c 'cd /tmp/tree && cat file sub/run && stat -c "%a %u" sub/run && readlink sub/link'
                    "$carpel" cp tree/file web:/tmp/renamed && "$carpel" exec web cat /tmp/renamed
                    "$carpel" cp web:/tmp/tree back && diff -r tree back && stat -c %a back/sub/run && readlink back/sub/link
                    mkdir into && "$carpel" cp web:/tmp/renamed into && cat into/renamed
                    "$carpel" cp web:/tmp/tree/. into && cat into/file
                    "$carpel" cp web:/tmp/tree - | tar -t | sort | head -n 2
                    tar -c tree | "$carpel" cp - web:/home && "$carpel" exec web cat /home/tree/file
                    "$carpel" cp web:/tmp/none . 2>/dev/null; echo $?
                    "$carpel" cp none web:/tmp 2>/dev/null; echo $?
                    """)
                #expect(
                    output == """
                        one
                        two
                        750 0
                        ../file
                        one
                        750
                        ../file
                        one
                        one
                        tree/
                        tree/file
                        one
                        3
                        3

                        """)

            }
        }

        /// An archive that tries to get out by a link, from a tar of the container's own.
        @Test func aHostileArchiveWritesNothingBesideItsPlace() async throws {
            try await withWeb { node, client, _, id in
                _ = try await client.exec(
                    id, "sh", "-c",
                    """
                    mkdir -p /tmp/evil /tmp/a/bad /tmp/b/bad/out && ln -s /tmp /tmp/a/bad/out
                    echo gotcha > /tmp/b/bad/out/escaped-carpel
                    tar -c -f /tmp/evil/1 -C /tmp/a bad; tar -c -f /tmp/evil/2 -C /tmp/b bad/out/escaped-carpel
                    cat /tmp/evil/1 | head -c 1024 > /tmp/evil/both; cat /tmp/evil/2 >> /tmp/evil/both
                    mv /bin/tar /bin/tar.real; printf '#!/bin/sh\\ncat /tmp/evil/both\\n' > /bin/tar; chmod +x /bin/tar
                    """)
                let escaped = try await run(
                    node,
                    """
                    mkdir "$1.d" && cd "$1.d"; "$carpel" cp web:/tmp/a/bad stolen 2>/dev/null; echo $?
                    test -e /tmp/escaped-carpel && echo escaped; true
                    """)
                #expect(!escaped.contains("escaped"))
            }
        }

        @Test func aCopyWithoutTarInTheImageSaysWhatToDo() async throws {
            try await withWeb { node, client, _, id in
                func refusals() async throws -> String {
                    try await run(
                        node,
                        """
                        echo data > "$1.file"
                        "$carpel" cp web:/etc/passwd "$1.copy" 2>&1; echo $?
                        "$carpel" cp web:/etc - 2>&1; echo $?
                        "$carpel" cp "$1.file" web:/tmp 2>&1; echo $?
                        "$carpel" cp - web:/tmp < "$1.file" 2>&1; echo $?
                        test ! -e "$1.copy" && echo nothing
                        """)
                }
                let refusal = { (missing: String) in
                    """
                    carpel: there is no \(missing) in the container's image, which copying needs: \
                    `carpel exec web cat PATH > FILE` and `carpel exec -i web tee PATH < FILE` copy a file, \
                    `carpel run --volume` shares a folder
                    6

                    """
                }
                _ = try await client.exec(id, "rm", "/bin/tar")
                #expect(try await refusals() == String(repeating: refusal("tar"), count: 4) + "nothing\n")
                _ = try await client.exec(id, "rm", "/bin/test")
                #expect(try await refusals().split(separator: "\n")[4] == refusal("test").split(separator: "\n")[0])
            }
        }

        @Test func portsAreForwardedUntilASignalComes() async throws {
            try await withWeb { node, client, _, id in
                _ = try await client.exec(
                    id, "sh", "-c", "mkdir /tmp/www; head -c 2000000 /dev/zero > /tmp/www/big; httpd -p 80 -h /tmp/www")
                let program = try terminal(node, "port-forward", "web", ":80", ":81")
                try await program.waits(for: "-> 81\r\n")
                program.type("\u{3}")
                #expect(try await program.end() == 130)

                let output = try await run(
                    node,
                    """
                    : > "$1.ports"
                    "$carpel" port-forward web :80 :81 > "$1.ports" 2> "$1.errors" & pid=$!
                    while [ "$(wc -l < "$1.ports")" -lt 2 ]; do sleep 0.1; done
                    open=$(sed -n 's/ -> 80//p' "$1.ports"); closed=$(sed -n 's/ -> 81//p' "$1.ports")
                    for number in 1 2 3 4; do curl -s "http://$open/big" | wc -c > "$1.count$number" & done
                    curl -s "http://$open/big" | wc -c
                    curl -s "http://$closed/" || echo refused
                    for number in 1 2 3 4; do while [ ! -s "$1.count$number" ]; do sleep 0.1; done; cat "$1.count$number"; done
                    kill $pid; wait $pid; echo $?; grep -c refused "$1.errors"
                    """)
                #expect(output == "2000000\nrefused\n" + String(repeating: "2000000\n", count: 4) + "143\n1\n")
            }
        }

        @Test func aTerminalIsLeftAndComeBackTo() async throws {
            try await withWeb { node, client, image, _ in
                let program = try terminal(node, "run", "-it", "--name", "shell", image, "sh")
                try await program.waits(for: "# ")
                program.type("echo $((6 * 7)); stty size\r")
                try await program.waits(for: "42\r\n24 80\r\n")
                program.type("\u{10}\u{11}")
                #expect(try await program.end() == 0)
                #expect(program.isCooked)
                #expect(
                    try await client.containers().first { $0.metadata?.name == "shell" }?.state == .CONTAINER_RUNNING)

                let again = try terminal(node, "attach", "--detach-keys", "ctrl-x", "shell/shell")
                again.type("\r")
                try await again.waits(for: "# ")
                again.type("echo still $((6 * 7))\r")
                try await again.waits(for: "still 42\r\n")
                again.type("exit 7\r")
                #expect(try await again.end() == 7)
            }
        }

        @Test func stdinOfRunGoesToTheContainerAndItsExitCodeComesBack() async throws {
            try await withWeb { node, client, image, _ in
                let output = try await run(
                    node,
                    """
                    printf 'a\\nb\\n' | "$carpel" run -i --rm --name piped \(image) sort -r; echo $?
                    "$carpel" run -i --rm --name failing \(image) sh -c 'cat; exit 9' < /dev/null; echo $?
                    """)
                #expect(output.hasPrefix("b\na\n0\n9\n"), "\(output)")
                let pods = try await client.pods()
                #expect(!pods.contains { ["piped", "failing"].contains($0.metadata?.name) })
            }
        }
    }
}
