import CarpelGuestProtocol
import Testing

extension AgentTests {
    @Suite(.sharedMachine, .serialized) struct Isolation {
        @Test func capabilitiesBeyondTheMaskAreGone() async throws {
            let mask = String(defaultCapabilities, radix: 16)
            let padded = String(repeating: "0", count: 16 - mask.count) + mask
            let finished = try await run("grep Cap /proc/self/status; mount -t tmpfs t /tmp || echo refused")
            let lines = finished.stdout.split(separator: "\n").map { $0.split(separator: "\t") }
            #expect(lines.prefix(5).map { String($0[0]) } == ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"])
            let none = String(repeating: "0", count: 16)
            #expect(lines.prefix(5).map { String($0[1]) } == [none, padded, padded, padded, none])
            #expect(finished.stdout.hasSuffix("refused\n"))
        }

        @Test func anotherUserHasNoEffectiveCapabilities() async throws {
            let finished = try await run("id; grep -E 'CapEff|CapPrm' /proc/self/status; echo $HOME") {
                $0.process.user.name = "ada"
            }
            #expect(finished.stdout.hasPrefix("uid=1000(ada) gid=1001(ada) groups=10(wheel),1001(ada)"))
            #expect(finished.stdout.contains("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000"))
            #expect(finished.stdout.hasSuffix("/home/ada\n"))
        }

        @Test func usersAndGroupsGoByNumberToo() async throws {
            let numbers = try await run("id -u; id -g; id -G") {
                $0.process.user.name = "4711:4712"
                $0.process.user.additionalGroups = [77, 4712]
            }
            #expect(numbers.stdout == "4711\n4712\n4712 77\n")
            let override = try await run("id -u; id -G") {
                $0.process.user.name = "ada:wheel"
                $0.process.user.group = 5
                $0.process.user.mergeImageGroups = false
            }
            #expect(override.stdout == "1000\n5\n")
        }

        @Test func aMissingUserOrGroupIsTold() async throws {
            #expect(await failure { _ = try await run("true") { $0.process.user.name = "eve" } } == .userNotFound)
            #expect(await failure { _ = try await run("true") { $0.process.user.name = "ada:eves" } } == .groupNotFound)
        }

        @Test func noNewPrivilegesIsSetOnlyWhenAsked() async throws {
            #expect(try await run("grep NoNewPrivs /proc/self/status").stdout == "NoNewPrivs:\t0\n")
            let finished = try await run("grep NoNewPrivs /proc/self/status") { $0.process.noNewPrivileges = true }
            #expect(finished.stdout == "NoNewPrivs:\t1\n")
        }

        @Test func aReadOnlyRootRefusesWrites() async throws {
            let finished = try await run("touch /here 2>&1; echo x > /dev/shm/there && echo shm") {
                $0.readOnlyRoot = true
            }
            #expect(finished.stdout.contains("Read-only file system"))
            #expect(finished.stdout.hasSuffix("shm\n"))
            #expect(try await run("touch /here && ls /here").stdout == "/here\n")
        }

        @Test func maskedAndReadOnlyPathsAre() async throws {
            let finished = try await run(
                """
                cat /proc/kcore | wc -c; ls /sys/firmware | wc -l
                echo 1 > /proc/sys/net/ipv4/ip_forward || echo protected
                mkdir /sys/fs/cgroup/x || echo protected
                """)
            #expect(finished.stdout == "0\n0\nprotected\nprotected\n")
        }

        @Test func aSeccompProgramActs() async throws {
            // Loads the system call's number; answers EPERM to mkdir (83) and allows the rest.
            let program = filter([
                (0x20, 0, 0, 0), (0x15, 0, 1, 83), (0x06, 0, 0, 0x0005_0001), (0x06, 0, 0, 0x7FFF_0000),
            ])
            for noNewPrivileges in [false, true] {
                let finished = try await run(
                    "grep Seccomp: /proc/self/status; mkdir /tmp/x 2>&1 || touch /tmp/y && echo done"
                ) {
                    $0.process.seccompProgram = program
                    $0.process.noNewPrivileges = noNewPrivileges
                }
                #expect(finished.stdout.hasPrefix("Seccomp:\t2\n"))
                #expect(finished.stdout.contains("Operation not permitted"))
                #expect(finished.stdout.hasSuffix("done\n"))
            }
        }

        private func filter(_ instructions: [(UInt16, UInt8, UInt8, UInt32)]) -> [UInt8] {
            instructions.flatMap { code, yes, no, value in
                withUnsafeBytes(of: code) { Array($0) } + [yes, no] + withUnsafeBytes(of: value) { Array($0) }
            }
        }

        @Test func resourceLimitsAreSet() async throws {
            let finished = try await run("ulimit -n; ulimit -Hn") {
                $0.process.resourceLimits = [.init(resource: 7, soft: 100, hard: 200)]
            }
            #expect(finished.stdout == "100\n200\n")
        }

        @Test func hostNameAndEtcFilesAreThePods() async throws {
            let finished = try await run("hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf")
            #expect(
                finished.stdout
                    == "pod-7\npod-7\n127.0.0.1 localhost\n192.0.2.7 pod-7\nnameserver 192.0.2.53\n")
            #expect(try await run("cat /proc/sys/net/ipv4/ip_unprivileged_port_start").stdout == "99\n")
        }

        @Test func theNetworkIsThePods() async throws {
            let finished = try await run(
                "ip -o addr show eth0; cat /sys/class/net/eth0/mtu; ip route; ip -6 route; ping -c 1 -W 5 10.0.2.2")
            let text = finished.stdout
            #expect(text.contains("inet 10.0.2.15/24 "))
            #expect(text.contains("inet6 fd00:7::2/64 "))
            #expect(text.contains("\n1400\n"))
            #expect(text.contains("default via 10.0.2.2 dev eth0"))
            #expect(text.contains("198.51.100.0/24 via 169.254.1.1 dev eth0"))
            #expect(text.contains("203.0.113.0/24 dev eth0"))
            #expect(text.contains("default via fe80::1 dev eth0"))
            #expect(text.contains("1 packets received"))
        }

        @Test func onlyTheContainersOwnProcessesAreVisible() async throws {
            let finished = try await run("echo $$; ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; cat /proc/self/cgroup")
            #expect(finished.stdout.hasPrefix("1\n"))
            #expect(finished.stdout.hasSuffix("sh\n0::/\n"))
        }

        @Test func thePodPidNamespaceIsSharedAndReapsOrphans() async throws {
            let guest = try sharedGuest()
            var first = ContainerSpec.shell("echo $$; sleep 1000")
            first.namespaces.pid = .pod
            try await guest.start(first)
            var second = ContainerSpec.shell(
                """
                ps | grep -c 'sleep 100[0]'
                sh -c 'sh -c "exit 0" & exec true'
                sh -c 'sleep 0.2 & exit' ; sleep 1
                ps -o stat | grep -c Z
                cat /proc/1/comm
                """)
            second.namespaces.pid = .pod
            let finished = try await guest.run(second)
            #expect(finished.stdout == "1\n0\ncarpel-reaper\n")
            try await guest.call(.removeContainer(id: first.id))
        }

        @Test func aContainerJoinsTheNamespacesOfAnother() async throws {
            let guest = try sharedGuest()
            var target = ContainerSpec.shell("echo secret > /dev/shm/mine; exec sleep 1000")
            target.namespaces.ipc = .container
            try await guest.start(target)
            // The target's shell may not have become sleep yet.
            var other = ContainerSpec.shell(
                """
                until grep -q sleep /proc/1/cmdline; do sleep 0.1; done
                cat /proc/1/cmdline; readlink /proc/1/ns/ipc; readlink /proc/self/ns/ipc
                """)
            other.process.capabilities = .max
            other.namespaces.pid = .target(container: target.id)
            other.namespaces.ipc = .target(container: target.id)
            let lines = try await guest.run(other).stdout.split(whereSeparator: { $0 == "\n" || $0 == "\0" })
            #expect(lines.prefix(2) == ["sleep", "1000"])
            #expect(lines.count == 4 && lines[2] == lines[3])
            try await guest.call(.removeContainer(id: target.id))
        }

        @Test func devicesAreTheStandardOnesAndThoseAskedFor() async throws {
            let finished = try await run(
                """
                ls /dev | tr '\\n' ' '; echo
                head -c 3 /dev/zero | wc -c; echo x > /dev/full || echo full
                mknod /tmp/disk b 254 0; head -c 1 /tmp/disk || echo refused
                head -c 1 /dev/mine | wc -c
                """
            ) {
                $0.devices = [.init(path: "/dev/mine", kind: .block, major: 254, minor: 0, access: "r")]
            }
            #expect(
                finished.stdout.hasPrefix(
                    "fd full mine mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero \n3\nfull\n"))
            let refused = try await run(
                "mknod /tmp/disk b 254 0; head -c 1 /tmp/disk || echo refused; echo x > /dev/null")
            #expect(refused.stdout == "refused\n")
            #expect(refused.status.code == 0)
        }

        @Test func aPrivilegedContainerSeesTheMachine() async throws {
            let finished = try await run(
                "ls /dev/vda && head -c 1 /dev/vda | wc -c; mkdir /sys/fs/cgroup/x && echo cgroup; mount -t tmpfs t /tmp && echo mount"
            ) {
                $0.privileged = true
                $0.maskedPaths = []
                $0.readOnlyPaths = []
                $0.process.capabilities = .max
            }
            #expect(finished.stdout == "/dev/vda\n1\ncgroup\nmount\n")
        }

        @Test func aTmpfsMountHasItsOptions() async throws {
            let finished = try await run("grep /data /proc/mounts; touch /data/x && echo written") {
                $0.readOnlyRoot = true
                $0.mounts = [.init(source: .memory, destination: "/data", options: ["nosuid", "noexec", "size=64k"])]
            }
            #expect(finished.stdout.hasPrefix("tmpfs /data tmpfs rw,nosuid,noexec"))
            #expect(finished.stdout.contains("size=64k"))
            #expect(finished.stdout.hasSuffix("written\n"))
        }

        @Test func noDescriptorOfTheAgentIsWithinReach() async throws {
            let finished = try await run("ls -l /proc/self/fd | grep -v pipe | wc -l; ls /proc/self/fd | wc -l")
            // The three and the folder that ls reads; "total" counts as a line.
            #expect(finished.stdout == "3\n4\n")
            #expect(
                await failure { _ = try await run("true") { $0.process.workingDirectory = "/proc/self/fd/5" } }
                    == .workingDirectoryInvalid)
        }

        @Test func aMissingWorkingDirectoryIsMade() async throws {
            let finished = try await run("pwd") { $0.process.workingDirectory = "/srv/a/b" }
            #expect(finished.stdout == "/srv/a/b\n")
        }
    }
}
