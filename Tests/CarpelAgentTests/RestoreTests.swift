import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import Testing

extension AgentTests {
    /// What the agent does at a checkpoint and behind a restore; the machine itself stays what it is.
    @Suite(.sharedMachine, .serialized) struct Restore {
        private static let counting = "i=0; while :; do i=$((i+1)); echo $i >/tmp/count; echo $i; usleep 10000; done"

        private func state(of id: String) async throws -> GuestState.Container? {
            guard case .state(let state) = try await sharedGuest().call(.state) else { return nil }
            return state.containers.first { $0.id == id }
        }

        @Test func frozenContainersStandStillUntilTheyThaw() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell(Self.counting)
            try await guest.start(spec)
            var output = try await guest.output(of: spec.id, from: 0).makeAsyncIterator()
            _ = try await output.next()
            guard case .frozen(let positions) = try await guest.call(.freezeContainers(ids: [spec.id])) else {
                Issue.record("no positions")
                return
            }
            let frozen = try await state(of: spec.id)
            #expect(frozen?.isFrozen == true && positions[spec.id] ?? 0 > 0)
            // A process that is added to what is frozen stands still too.
            let exec = Task { try await guest.run(.shell("cat /tmp/count", in: spec.id)).stdout }
            #expect(try await state(of: spec.id)?.nextOutput == frozen?.nextOutput)
            try await guest.call(.thawContainers(clock: UInt64(Date().timeIntervalSince1970 * 1e9)))
            #expect(try await !exec.value.isEmpty)
            let thawed = try await state(of: spec.id)
            #expect(thawed?.isFrozen == false)
            var last: UInt64 = 0
            while last <= frozen?.nextOutput ?? .max, let record = try await output.next() { last = record.sequence }
            #expect(last > frozen?.nextOutput ?? .max)
            try await guest.call(.removeContainer(id: spec.id))
            #expect(await failure { try await guest.call(.freezeContainers(ids: [spec.id])) } == .notFound)
        }

        @Test func aContainerThatDoesNotRunIsNotFrozenNorAreTheOthers() async throws {
            let guest = try sharedGuest()
            let (running, created) = (ContainerSpec.shell("sleep 1000"), ContainerSpec.shell("true"))
            try await guest.start(running)
            try await guest.call(.createContainer(created))
            let ids = [running.id, created.id]
            #expect(await failure { try await guest.call(.freezeContainers(ids: ids)) } == .invalidState)
            #expect(try await state(of: running.id)?.isFrozen == false)
            for id in ids { try await guest.call(.removeContainer(id: id)) }
        }

        @Test func aRestoredPodIsAnotherAndItsContainersWaitForTheirStart() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell(Self.counting)
            let seen = ContainerSpec.shell("sleep 1000")
            for container in [spec, seen] { try await guest.start(container) }
            let interface = SandboxConfiguration.Interface(
                hardwareAddress: TestMachine.hardwareAddress, name: "eth0", addresses: ["10.1.0.2/24", "fd01::2/64"],
                routes: [.init(destination: "0.0.0.0/0", gateway: "10.1.0.1")])
            try await guest.call(.configureInterfaces([interface]))
            try await guest.call(.freezeContainers(ids: [spec.id]))
            let other = SandboxConfiguration.Interface(
                hardwareAddress: "52:54:00:11:22:33", name: "eth0", addresses: ["10.2.0.7/16", "fd02::7/64"],
                routes: [.init(destination: "0.0.0.0/0", gateway: "10.2.0.1")])
            let clock: UInt64 = 2_000_000_000_000_000_000
            func restored(_ former: String) -> RestoredSandbox {
                RestoredSandbox(
                    hostname: "other", resolvConf: "nameserver 10.2.0.53\n", hosts: "10.2.0.7\tother\n",
                    clock: clock, entropy: (0..<64).map { _ in .random(in: 0...255) },
                    interfaces: [.init(formerHardwareAddress: TestMachine.hardwareAddress, interface: other)],
                    containers: [former: "restored"])
            }
            try await guest.call(.restore(restored(spec.id)))
            #expect(try await state(of: spec.id) == nil)
            let waiting = try await state(of: "restored")
            #expect(waiting?.phase == .created && waiting?.isFrozen == true)
            let identity = try await guest.run(
                .shell("hostname; date +%s; cat /etc/hosts /etc/resolv.conf; ip addr; ip route", in: seen.id)
            ).stdout
            #expect(identity.hasPrefix("other\n20000000"), "\(identity)")
            for part in ["10.2.0.7\tother", "10.2.0.53", "52:54:00:11:22:33", "10.2.0.7/16", "fd02::7/64", "10.2.0.1"] {
                #expect(identity.contains(part), "\(part) in \(identity)")
            }
            #expect(!identity.contains("10.1.0.") && !identity.contains("fd01:"), "\(identity)")
            // Only the frozen ones can be what was saved.
            #expect(await failure { try await guest.call(.startContainer(id: seen.id)) } == .invalidState)
            try await guest.call(.thawContainers(clock: clock))
            #expect(try await state(of: "restored")?.isFrozen == true)
            guard case .started = try await guest.call(.startContainer(id: "restored")) else {
                Issue.record("not started")
                return
            }
            let before = try #require(waiting).nextOutput
            var output = try await guest.output(of: "restored", from: before).makeAsyncIterator()
            #expect(try await output.next()?.sequence == before)
            for id in ["restored", seen.id] { try await guest.call(.removeContainer(id: id)) }
        }
    }
}
