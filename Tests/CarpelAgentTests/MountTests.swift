import CarpelGuestProtocol
import Foundation
import TestSupport
import Testing

extension AgentTests.Volumes {
    @Test func subPathsAreMadeAndMounted() async throws {
        let guest = try sharedGuest()
        try await guest.call(.addVolume(GuestVolume(name: "sub", source: .scratch)))
        let finished = try await inContainer(
            "echo 1 > /a/file; echo 2 > /b/file; cat /all/deep/one/file /all/deep/two/file; stat -c %a /all/deep/one",
            [
                .volume("sub", "deep/one", at: "/a"), .volume("sub", "/deep//two/", at: "/b"),
                .volume("sub", at: "/all"),
            ])
        // As the volume's own root is.
        #expect(finished.stdout == "1\n2\n777\n")
        // A file of the volume, on a file that the image has and on one that it has not.
        let file = try await inContainer(
            "cat /etc/passwd /new/file; ls -ld /new | cut -c 1",
            [.volume("sub", "deep/one/file", at: "/etc/passwd"), .volume("sub", "deep/two/file", at: "/new/file")])
        #expect(file.stdout == "1\n2\nd\n")
        let onFolder = await failure { try await inContainer("true", .volume("sub", "deep/one/file", at: "/home")) }
        #expect(onFolder == .mountFailed)
        var missing = ContainerSpec.Mount.volume("sub", "not/there", at: "/data")
        missing.readOnly = true
        let absent = await failure { [missing] in try await inContainer("true", missing) }
        #expect(absent == .mountFailed)
        try await guest.call(.removeVolume(name: "sub"))
    }

    @Test func noPathLeadsOutOfAVolume() async throws {
        let guest = try sharedGuest()
        try await guest.call(.addVolume(GuestVolume(name: "trap", source: .scratch)))
        try await inContainer(
            """
            ln -s / /v/root; ln -s /run /v/run; ln -s ../../.. /v/up; ln -s /proc/1/root /v/magic; mkdir /v/in
            ln -s in /v/inside; echo here > /v/in/file
            """, .volume("trap", at: "/v"))
        for path in ["root", "root/etc", "run/carpel", "up", "up/etc/new", "magic", "root/new", "in/../../etc"] {
            let reason = await failure { try await inContainer("ls /data", .volume("trap", path, at: "/data")) }
            #expect(reason == (path.contains("..") ? .invalidArgument : .mountFailed), "\(path)")
        }
        #expect(try await inContainer("cat /data/file", .volume("trap", "inside", at: "/data")).stdout == "here\n")
        // Nor does the path that it is mounted on lead out of the container.
        let finished = try await inContainer(
            "cat /tmp/data/file", [.volume("trap", at: "/v"), .volume("trap", "in", at: "/v/root/tmp/data")])
        #expect(finished.stdout == "here\n")
        try await guest.call(.removeVolume(name: "trap"))
    }

    @Test func mountsAreMadeInTheirOrder() async throws {
        let guest = try sharedGuest()
        for name in ["outer", "inner"] { try await guest.call(.addVolume(GuestVolume(name: name, source: .scratch))) }
        let mounts: [ContainerSpec.Mount] = [
            .volume("outer", at: "/data"), .volume("inner", at: "/data/below"),
            .init(source: .memory, destination: "/data/below/memory", options: ["size=64k"]),
        ]
        let finished = try await inContainer(
            "echo x > /data/below/file; ls /data /data/below; grep -c ' /data' /proc/mounts", mounts)
        #expect(finished.stdout == "/data:\nbelow\n\n/data/below:\nfile\nmemory\n3\n")
        #expect(
            try await inContainer("ls /data/below", .volume("outer", at: "/data")).stdout == "")
        for name in ["outer", "inner"] { try await guest.call(.removeVolume(name: name)) }
    }

    @Test func anImageIsMountedReadOnlyWithAllOfItsLayers() async throws {
        let guest = try sharedGuest()
        try await sharedMachine().plugExtraLayer()
        let layers = [TestMachine.baseLayer, TestMachine.extraLayer]
        let whole = ContainerSpec.Mount(source: .image(layers: layers, subPath: ""), destination: "/image")
        let part = ContainerSpec.Mount(
            source: .image(layers: [TestMachine.extraLayer], subPath: "usr/share/who"), destination: "/who")
        let commands = "cat /image/usr/share/who /who; ls /image/bin/sh; echo x > /image/file || echo refused"
        // Two at once, of which one goes first.
        var first = ContainerSpec.shell("exec sleep 1000")
        first.mounts = [whole]
        try await guest.start(first)
        #expect(try await inContainer(commands, [whole, part]).stdout == "upper\nupper\n/image/bin/sh\nrefused\n")
        #expect(try await guest.run(.shell("cat /image/usr/share/who", in: first.id)).stdout == "upper\n")
        try await guest.call(.removeContainer(id: first.id))
        // Nothing holds the disk any more: its layer is unmounted with its last user.
        let mounts = try await run("grep -c erofs /proc/1/mounts; true") { $0.privileged = true }
        #expect(mounts.stdout == "0\n")
        try await sharedMachine().unplug(TestMachine.extraLayer)
    }
}
