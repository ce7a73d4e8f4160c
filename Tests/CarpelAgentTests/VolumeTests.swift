import CarpelGuestProtocol
import Foundation
import TestSupport
import Testing

private let mebibyte = 1 << 20

extension AgentTests {
    @Suite(.sharedMachine, .serialized) struct Volumes {
        @Test(arguments: ["ext4", "xfs"]) func whatOneContainerWritesToADiskAnotherReads(fileSystem: String)
            async throws
        {
            let disk = try await VolumeDisk.make(fileSystem)
            try await disk.add()
            #expect(try await inContainer("echo kept > /data/file", disk.mount("/data")).stdout == "")
            #expect(try await inContainer("cat /data/file", disk.mount("/data")).stdout == "kept\n")
            let usage = try await disk.usage()
            #expect(usage.capacityBytes > UInt64(disk.bytes) * 3 / 4 && usage.capacityBytes <= UInt64(disk.bytes))
            #expect(usage.usedBytes > 0 && usage.usedBytes < usage.capacityBytes && usage.usedInodes > 0)
            try await disk.remove()
            // Free as well as unmounted: the file holds it all, and needs no repair.
            try await disk.unplug()
            try await disk.check()
        }

        @Test func aVolumeAndItsCloneAreMountedSideBySide() async throws {
            let disk = try await VolumeDisk.make("xfs")
            let clone = try await disk.clone()
            try await disk.add()
            try await clone.add()
            let both = [disk.mount("/one"), clone.mount("/two")]
            #expect(try await inContainer("echo 1 > /one/file; ls /two; echo done", both).stdout == "done\n")
            for disk in [disk, clone] { try await disk.remove() }
        }

        @Test func addingAVolumeTwiceIsFineUnlessItDiffers() async throws {
            let guest = try sharedGuest()
            let volume = GuestVolume(name: "twice", source: .memory(sizeLimit: 1 << 20))
            async let first = guest.call(.addVolume(volume))
            async let second = guest.call(.addVolume(volume))
            let answers = try await [first, second]
            #expect(answers == [.done, .done])
            var other = volume
            other.readOnly = true
            let differing = await failure { [other] in try await guest.call(.addVolume(other)) }
            #expect(differing == .alreadyExists)
            #expect(try await listed("twice")?.volume == volume)
            for _ in 0..<2 { try await guest.call(.removeVolume(name: "twice")) }
            #expect(try await listed("twice") == nil)
        }

        @Test func whatCannotBeAVolumeIsRefused() async throws {
            let guest = try sharedGuest()
            for name in ["", "../x", ".", "a/b", String(repeating: "x", count: 129)] {
                let volume = GuestVolume(name: name, source: .scratch)
                #expect(await failure { try await guest.call(.addVolume(volume)) } == .invalidArgument)
            }
            let disk = try await VolumeDisk.make("ext4")
            let strange = GuestVolume(name: "strange", source: .disk(serial: disk.serial, fileSystem: "fat"))
            #expect(await failure { try await guest.call(.addVolume(strange)) } == .invalidArgument)
            let wrong = GuestVolume(name: "wrong", source: .disk(serial: disk.serial, fileSystem: "xfs"))
            #expect(await failure { try await guest.call(.addVolume(wrong)) } == .mountFailed)
            #expect(await failure { try await guest.call(.volumeUsage(name: "wrong")) } == .notFound)
            let unknown = await failure { try await inContainer("true", .volume("nothing", at: "/data")) }
            #expect(unknown == .notFound)
            // Nothing of the failed attempts is in the way.
            try await disk.add()
            try await disk.remove()
        }

        @Test func aVolumeThatAContainerHasIsNotRemoved() async throws {
            let guest = try sharedGuest()
            let disk = try await VolumeDisk.make("ext4")
            try await disk.add()
            var spec = ContainerSpec.shell("exec sleep 1000")
            spec.mounts = [disk.mount("/data")]
            try await guest.call(.createContainer(spec))
            #expect(await failure { try await disk.remove() } == .busy)
            try await guest.call(.startContainer(id: spec.id))
            #expect(await failure { try await disk.remove() } == .busy)
            try await guest.call(.removeContainer(id: spec.id))
            try await disk.remove()
        }

        @Test(arguments: ["ext4", "xfs"]) func aFileSystemGrowsWithItsDisk(fileSystem: String) async throws {
            let disk = try await VolumeDisk.make(fileSystem)
            // Longer than its file system from the start, by a little that makes no whole group of blocks.
            let before = disk.bytes + 160 * mebibyte + 68 << 10
            try await shell("truncate -s \(before) \"$1\"", disk.path)
            try await sharedMachine().resize(disk.serial, to: before)
            try await disk.add()
            let mounted = try await disk.usage().capacityBytes
            // What was made has no room for it, less the log that XFS keeps to itself.
            #expect(mounted > UInt64(disk.bytes + 90 * mebibyte))
            let file = "dd if=/dev/zero of=/data/big bs=1M count=8 2>/dev/null; md5sum < /data/big"
            let sum = try await inContainer(file, disk.mount("/data")).stdout

            let after = before + 256 * mebibyte
            try await sharedMachine().resize(disk.serial, to: after)
            try await sharedGuest().call(.growVolume(name: disk.name))
            let grown = try await disk.usage().capacityBytes
            #expect(grown > mounted + UInt64(200 * mebibyte) && grown <= UInt64(after))
            try await sharedGuest().call(.growVolume(name: disk.name))
            #expect(try await disk.usage().capacityBytes == grown)
            #expect(try await inContainer("md5sum < /data/big", disk.mount("/data")).stdout == sum)
            try await disk.remove()
            try await disk.unplug()
            try await disk.check()
        }

        @Test(arguments: ["ext4", "xfs"]) func aReadOnlyDiskThatWasNotUnmountedCanBeRead(fileSystem: String)
            async throws
        {
            let disk = try await VolumeDisk.make(fileSystem)
            try await disk.add()
            #expect(try await inContainer("echo early > /data/file", disk.mount("/data")).stdout == "")
            try await sharedGuest().call(.freezeVolume(name: disk.name, timeoutSeconds: 600))
            try await sharedGuest().call(.thawVolume(name: disk.name))
            // What is only in the journal cannot be read, but must not be in the way either.
            #expect(try await inContainer("echo late > /data/late; sync", disk.mount("/data")).stdout == "")
            let copy = try await disk.clone(readOnly: true)
            try await copy.add(readOnly: true)
            let finished = try await inContainer(
                "cat /data/file; echo x > /data/other || echo refused; grep -c ' /data [a-z0-9]* ro' /proc/mounts",
                copy.mount("/data"))
            #expect(finished.stdout == "early\nrefused\n1\n")
            for disk in [disk, copy] { try await disk.remove() }
        }

        @Test func aReadOnlyMountOfAVolumeRefusesWrites() async throws {
            let guest = try sharedGuest()
            try await guest.call(.addVolume(GuestVolume(name: "both", source: .scratch)))
            var readOnly = ContainerSpec.Mount.volume("both", at: "/ro")
            readOnly.readOnly = true
            let finished = try await inContainer(
                "echo 1 > /rw/file; cat /ro/file; echo 2 > /ro/file || echo refused",
                [.volume("both", at: "/rw"), readOnly])
            #expect(finished.stdout == "1\nrefused\n")
            try await guest.call(.removeVolume(name: "both"))
        }

        @Test func aBlockVolumeIsADeviceOfTheContainersThatHaveIt() async throws {
            let guest = try sharedGuest()
            let disk = try await VolumeDisk.make(nil)
            try await guest.call(.addVolume(disk.volume))
            let finished = try await run("printf block | dd of=/dev/mine conv=notrunc 2>/dev/null; head -c 5 /dev/mine")
            {
                $0.devices = [.init(path: "/dev/mine", kind: .block, mode: 0o600, volume: disk.name)]
            }
            #expect(finished.stdout == "block")
            #expect(try await disk.usage().capacityBytes == UInt64(disk.bytes))
            let read = try await run(
                "stat -c '%t:%T' /dev/mine; head -c 5 /dev/mine; echo x > /dev/mine || echo refused"
            ) {
                $0.devices = [.init(path: "/dev/mine", kind: .block, access: "r", volume: disk.name)]
            }
            #expect(read.stdout.hasSuffix("\nblockrefused\n"))
            let numbers = String(read.stdout.prefix { $0 != "\n" })
            // Whoever does not have it cannot have it by making its node either.
            let (major, minor) = try #require(hexadecimal(numbers))
            let other = try await run("mknod /tmp/d b \(major) \(minor); head -c 1 /tmp/d || echo refused")
            #expect(other.stdout == "refused\n")
            let mounted = await failure { try await inContainer("true", .volume(disk.name, at: "/data")) }
            #expect(mounted == .notFound)
            try await disk.remove()
            let late = await failure {
                try await run("true") { $0.devices = [.init(path: "/dev/mine", kind: .block, volume: disk.name)] }
            }
            #expect(late == .notFound)
        }

        @Test func aMemoryVolumeHoldsItsLimit() async throws {
            let guest = try sharedGuest()
            try await guest.call(.addVolume(GuestVolume(name: "memory", source: .memory(sizeLimit: 2 << 20))))
            let finished = try await inContainer(
                "dd if=/dev/zero of=/data/big bs=64k 2>&1 | grep -o 'No space left on device'; wc -c < /data/big",
                .volume("memory", at: "/data"))
            #expect(finished.stdout == "No space left on device\n\(2 << 20)\n")
            guard case .volumeUsage(let usage) = try await guest.call(.volumeUsage(name: "memory")) else {
                throw SupportError("no usage")
            }
            #expect(usage.capacityBytes == 2 << 20 && usage.usedBytes == 2 << 20 && usage.availableBytes == 0)
            // It is the pod's, and outlives the container.
            #expect(
                try await inContainer("rm /data/big && echo gone", .volume("memory", at: "/data")).stdout == "gone\n")
            try await guest.call(.removeVolume(name: "memory"))
        }

        @Test func aScratchVolumeIsEmptyForEverybodyAndGoneWhenRemoved() async throws {
            let guest = try sharedGuest()
            let volume = GuestVolume(name: "scratch", source: .scratch)
            for _ in 0..<2 {
                try await guest.call(.addVolume(volume))
                let finished = try await inContainer(
                    "ls /data; stat -c %a /data; dd if=/dev/zero of=/data/big bs=1M count=3 2>/dev/null; ls /data",
                    .volume("scratch", at: "/data")
                ) { $0.process.user.name = "ada" }
                #expect(finished.stdout == "777\nbig\n")
                guard case .volumeUsage(let usage) = try await guest.call(.volumeUsage(name: "scratch")) else {
                    throw SupportError("no usage")
                }
                #expect(usage.usedBytes >= 3 << 20 && usage.usedBytes < 4 << 20 && usage.usedInodes == 1)
                #expect(usage.capacityBytes > 64 << 20)
                try await guest.call(.removeVolume(name: "scratch"))
            }
        }
    }
}

/// `8:10` of `stat`, in decimal digits.
private func hexadecimal(_ numbers: String) -> (Int, Int)? {
    let parts = numbers.split(separator: ":").compactMap { Int($0, radix: 16) }
    return parts.count == 2 ? (parts[0], parts[1]) : nil
}
