import CarpelCore
import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CarpelMachines

extension RealMachineTests {
    /// Folders of the host in machines, with the real agent and containers.
    @Suite(.serialized, .enabled(if: AgentPlace.guest != nil, "run hack/guest"))
    struct VirtiofsTests {
        @Test func aPodSeesTheHostsFilesLiveAndAsTheyAre() async throws {
            let node = try TestNode.shared()
            #expect(node.hypervisor.virtualFileSystem == .available)
            let world = try await World(node, "live")
            let (machine, guest) = (world.machine, world.guest)
            // Bound while the machine runs, as a container is made after its pod.
            let clock = Stopwatch()
            let all = try world.folder.bind(world.host, as: "all", readOnly: false)
            let file = try world.folder.bind("\(world.host)/file", as: "one", readOnly: false)
            clock.lap("two binds")
            try await guest.startHolder("live", [.shared(all, at: "/all"), .shared(file, at: "/new/one")])
            clock.lap("start of a container with two shared mounts")
            #expect(
                try await guest.run("cat /all/file /new/one; ls -l /all/file | cut -c 1-10", in: "live")
                    == "content\ncontent\n-rw-r-----\n")
            // Both ways, and at once: a file is looked at anew when it is opened.
            try await guest.run(
                "echo guest > /all/from-guest; chown 7:8 /all/from-guest; chmod 4711 /all/from-guest", in: "live")
            #expect(
                try await shell("cd \"$1\"; cat from-guest; stat -c %u:%g:%a from-guest", world.host)
                    == "guest\n7:8:4711\n")
            try await shell("echo changed > \"$1/file\"; echo host > \"$1/from-host\"", world.host)
            #expect(try await guest.run("cat /new/one /all/from-host", in: "live") == "changed\nhost\n")
            try await guest.run("echo through the file > /new/one", in: "live")
            #expect(try await shell("cat \"$1/file\"", world.host) == "through the file\n")
            // Programs are mapped into memory.
            try await shell("cp /bin/busybox \"$1/busybox\"", world.host)
            #expect(
                try await guest.run("/all/busybox echo runs; ln -s file /all/link; readlink /all/link", in: "live")
                    == "runs\nfile\n")
            // A host's device nodes are nothing here.
            try await shell("mknod \"$1/null\" c 1 3", world.host)
            #expect(try await guest.run("echo x > /all/null", in: "live").contains("Permission denied"))
            try await world.end(machine)
        }

        @Test func readOnlyIsReadOnlyForRootToo() async throws {
            let node = try TestNode.shared()
            let world = try await World(node, "readonly")
            let guest = world.guest
            try await shell("mkdir \"$1/below\"; mount -t tmpfs t \"$1/below\"", world.host)
            let top = try world.folder.bind(world.host, as: "top", readOnly: true)
            let all = try world.folder.bind(world.host, as: "all", readOnly: true, recursivelyReadOnly: true)
            let file = try world.folder.bind("\(world.host)/file", as: "file", readOnly: true)
            try await guest.startHolder(
                "ro",
                [
                    .shared(top, at: "/top", readOnly: true), .shared(file, at: "/file", readOnly: true),
                    .shared(all, at: "/all", readOnly: true, recursively: true),
                ], privileged: true)
            // What can be undone in the guest is undone, with all that root in a privileged container may do.
            try await guest.run("for m in /top /file /all /all/below; do mount -o remount,bind,rw $m; done", in: "ro")
            for path in ["/top/new", "/top/file", "/file", "/all/new", "/all/below/new"] {
                let said = try await guest.run("echo x > \(path)", in: "ro")
                #expect(said.contains("Read-only file system"), "\(path): \(said)")
            }
            #expect(
                try await guest.run("rm /top/file; chmod 777 /top/file; mkdir /all/below/d; cat /file", in: "ro")
                    .hasSuffix("content\n"))
            // Not asked for: a mount below a read-only one stays as it is on the host.
            #expect(try await guest.run("echo x > /top/below/new; cat /top/below/new", in: "ro") == "x\n")
            #expect(try await shell("cat \"$1/file\"; cat \"$1/below/new\"", world.host) == "content\nx\n")
            try await world.end(world.machine)
        }

        @Test func filesOfDifferentFileSystemsAreDifferentFiles() async throws {
            let node = try TestNode.shared()
            let world = try await World(node, "identity")
            let guest = world.guest
            try await shell(
                "for d in a b; do mkdir \"$1/$d\"; mount -t tmpfs $d \"$1/$d\"; echo $d > \"$1/$d/file\"; done",
                world.host)
            for name in ["a", "b"] { try world.folder.bind("\(world.host)/\(name)", as: name, readOnly: false) }
            try await guest.startHolder("ids", [.shared("a/content", at: "/a"), .shared("b/content", at: "/b")])
            let inodes = try await guest.run("stat -c %i /a/file /b/file | uniq | wc -l", in: "ids")
            #expect(inodes == "1\n", "the file systems are not alike any more, and the test proves nothing")
            #expect(try await guest.run("stat -c %d /a/file /b/file | sort -u | wc -l", in: "ids") == "2\n")
            try await world.end(world.machine)
        }

        @Test func theHostHasItsFileSystemBackWhenTheContainerIsGone() async throws {
            let node = try TestNode.shared()
            let world = try await World(node, "back")
            let guest = world.guest
            let daemons = processes(withArgument: "source=\(world.folder.path)")
            #expect(!daemons.isEmpty)
            try world.folder.bind(world.host, as: "first", readOnly: false)
            let before = openFiles(of: daemons, below: world.host)
            let file = try world.folder.bind("\(world.host)/file", as: "file", readOnly: false)
            try await guest.startHolder("user", [.shared("first/content", at: "/a"), .shared(file, at: "/f")])
            #expect(try await guest.run("cat /a/file /f", in: "user") == "content\ncontent\n")
            #expect(openFiles(of: daemons, below: world.host) > before)
            try await guest.call(.removeContainer(id: "user"))
            for name in ["first", "file"] { try world.folder.unbind(name) }
            try await eventually("virtiofsd lets go of the host's files") {
                openFiles(of: daemons, below: world.host) == 0
            }
            try await world.end(world.machine)
        }

        @Test func whatIsNotSharedIsRefused() async throws {
            let node = try TestNode.shared()
            let world = try await World(node, "refused")
            let guest = world.guest
            try await shell("ln -s / \"$1/root\"", world.host)
            try world.folder.bind(world.host, as: "all", readOnly: false)
            for path in ["none", "all/content/root/etc", "all/content/none"] {
                await #expect(throws: GuestFailure.self) {
                    try await guest.startHolder("refused", [.shared(path, at: "/x")])
                }
                try await guest.call(.removeContainer(id: "refused"))
            }
            await #expect(throws: GuestFailure.self) {
                try await guest.startHolder("refused", [.shared("all/../x", at: "/x")])
            }
            try await world.end(world.machine)
        }

        @Test func machineWithoutVirtiofsSaysWhy() async throws {
            var off = MachinesConfiguration()
            off.virtiofs = .off
            guard case .failure(let reason) = SharedFolderDaemon.find(off) else {
                Issue.record("it is on")
                return
            }
            #expect(reason.reason.contains("virtiofs: off"))
            var missing = MachinesConfiguration()
            missing.virtiofsDaemon = "/no/virtiofsd"
            guard case .failure(let absent) = SharedFolderDaemon.find(missing) else {
                Issue.record("it is there")
                return
            }
            #expect(absent.reason.contains("/no/virtiofsd"))
            let node = try TestNode.shared()
            var spec = node.place.spec("unshared")
            spec.sharedFolder = SharedFolderSpec(tag: "t", path: "\(node.place.folder)/none")
            await expectError("sharedFolderMissing") { [spec] in _ = try await node.hypervisor.start(spec) }
            spec.sharedFolder?.tag = String(repeating: "x", count: 37)
            await expectError("sharedFolderTag") { [spec] in _ = try await node.hypervisor.start(spec) }
        }
    }

    @Suite(.serialized, .enabled(if: AgentPlace.guest != nil, "run hack/guest"))
    struct VirtiofsProcessTests {
        @Test func sharingOutlivesTheKillOfTheMachinesOwnerAndEndsWithTheMachine() async throws {
            let place = try TestPlace()
            defer { place.remove() }
            let agent = try await AgentPlace(place)
            let host = "\(place.folder)/host"
            let folder = SharedFolder("\(place.folder)/shared")
            try await shell("mkdir \"$1\"; echo content > \"$1/file\"", host)
            try folder.make()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [place = place as TestPlace, agent = agent as AgentPlace] in
                let node = try await TestNode(place)
                let folder = SharedFolder("\(place.folder)/shared")
                try folder.bind("\(place.folder)/host", as: "early", readOnly: false)
                let (_, guest) = try await node.startAgent("kept", agent, sharedFolder: folder)
                try await guest.startHolder("user", [.shared("early/content", at: "/early")])
                #expect(try await guest.run("cat /early/file", in: "user") == "content\n")
                setpgid(0, 0)
                kill(0, SIGKILL)
            }
            let daemons = processes(withArgument: "source=\(folder.path)")
            #expect(!daemons.isEmpty)
            await #expect(processExitsWith: .success) { [place = place as TestPlace] in
                let node = try await TestNode(place)
                let machine = try #require(try await node.hypervisor.reattach().first)
                let guest = try await connect(to: machine)
                #expect(
                    try await guest.run("echo more >> /early/file; cat /early/file", in: "user") == "content\nmore\n")
                let folder = SharedFolder("\(place.folder)/shared")
                try folder.make()
                try folder.bind("\(place.folder)/host", as: "late", readOnly: true)
                try await guest.startHolder("late", [.shared("late/content", at: "/late")])
                #expect(try await guest.run("cat /late/file", in: "late") == "content\nmore\n")
                // Killed by somebody else.
                kill(machine.processID, SIGKILL)
                _ = await machine.end()
                try await machine.destroy()
                await node.hypervisor.close()
            }
            try await eventually("virtiofsd ends with the machine") { daemons.allSatisfy { !isRunning($0) } }
            try folder.remove()
            #expect(!(try MountTable()).entries.contains { $0.target.hasPrefix(place.folder) })
            let left = try FileManager.default.subpathsOfDirectory(atPath: place.configuration.stateDirectory)
            #expect(left.filter { $0.contains("virtiofsd") || $0.contains("fs0") } == [])
        }
    }
}

/// A machine that shares a folder, and what of the host it shares.
private struct World {
    let folder: SharedFolder
    let host: String
    let machine: any Machine
    let guest: GuestConnection

    init(_ node: TestNode, _ id: String) async throws {
        host = "\(node.place.folder)/host-\(id)"
        folder = SharedFolder("\(node.place.folder)/shared-\(id)")
        try await shell("mkdir \"$1\"; echo content > \"$1/file\"; chmod 640 \"$1/file\"", host)
        try folder.make()
        let clock = Stopwatch()
        (machine, guest) = try await node.startAgent(
            id, try await AgentPlace(node.place), sharedFolder: folder)
        clock.lap("start of a machine with a shared folder, until it is configured")
    }

    func end(_ machine: any Machine) async throws {
        let daemons = processes(withArgument: "source=\(folder.path)")
        #expect(!daemons.isEmpty)
        try await machine.destroy()
        try await eventually("virtiofsd ends with the machine") { daemons.allSatisfy { !isRunning($0) } }
        try folder.remove()
        try await shell("for m in \"$1\"/*; do umount \"$m\" 2>/dev/null; done; true", host)
        let left = try MountTable().entries.map(\.target).filter { $0.hasPrefix(host) || $0.hasPrefix(folder.path) }
        #expect(left == [])
    }
}

/// The ids of the processes that have an argument with this text.
private func processes(withArgument text: String) -> [Int32] {
    let ids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return ids.compactMap { Int32($0) }.filter { id in
        let command = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") ?? Data()
        return command.split(separator: 0).contains { String(decoding: $0, as: UTF8.self).contains(text) }
            && command.split(separator: 0).first.map { String(decoding: $0, as: UTF8.self) }
                == "/usr/lib/qemu/virtiofsd"
    }
}

/// How many of the processes' files lie below a folder, by its device and the names that the host knows.
private func openFiles(of processes: [Int32], below folder: String) -> Int {
    var wanted: Set<UInt64> = []
    var status = stat()
    for name in ["", "/file"] where stat(folder + name, &status) == 0 { wanted.insert(UInt64(status.st_ino)) }
    return processes.reduce(0) { sum, id in
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd")) ?? []
        return sum
            + files.count { stat("/proc/\(id)/fd/\($0)", &status) == 0 && wanted.contains(UInt64(status.st_ino)) }
    }
}
