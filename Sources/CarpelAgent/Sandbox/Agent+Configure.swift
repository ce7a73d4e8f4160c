import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    func configure(_ wanted: SandboxConfiguration, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        if let configuration {
            guard configuration.describesSamePod(as: wanted) else {
                return done(.failure(GuestFailure(.invalidState, "the machine is configured for another pod already")))
            }
            return done(.success(()))
        }
        do throws(GuestFailure) {
            try Sandbox.makeUnique(wanted)
        } catch {
            return done(.failure(error))
        }
        disks.find([wanted.scratchDisk]) { [unowned self] in
            done($0.flatMap { self.configure(wanted, scratchDevice: $0[wanted.scratchDisk] ?? "") })
        }
    }

    private func configure(
        _ wanted: SandboxConfiguration, scratchDevice: String
    ) -> Result<Void, GuestFailure> {
        guard configuration == nil else { return .success(()) }
        do throws(GuestFailure) {
            try Sandbox.apply(wanted, scratchDevice: scratchDevice)
            configuration = wanted
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Kills everything, writes what is not on disk yet, and turns the machine off.
    func shutDown(answering stream: HostStream) {
        kill(-1, SIGKILL)
        for container in containers.values { container.cgroup.killAll() }
        stream.finish(.done)
        // Read-only as soon as nobody writes any more: the file system is clean then.
        sync()
        _ = mount(nil, Sandbox.scratch, nil, UInt(MS_REMOUNT | MS_RDONLY), nil)
        loop.after(milliseconds: 20) {
            sync()
            reboot(Int32(bitPattern: UInt32(RB_POWER_OFF)))
        }
    }
}

extension SandboxConfiguration {
    /// Clock and entropy are new with every attempt.
    fileprivate func describesSamePod(as other: SandboxConfiguration) -> Bool {
        var other = other
        other.clock = clock
        other.entropy = entropy
        return self == other
    }
}
