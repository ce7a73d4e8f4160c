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
            try Sandbox.makeUnique(entropy: wanted.entropy, clock: wanted.clock)
        } catch {
            return done(.failure(error))
        }
        let missing = { BlockDevices.missing([wanted.scratchDisk]) ?? NetworkCards.missing(wanted.interfaces ?? []) }
        devices.wait(until: missing) { [unowned self] missing in
            if let missing { return done(.failure(missing)) }
            guard let tag = wanted.sharedFolder else { return done(apply(wanted)) }
            mountSharedFolder(tag) { [unowned self] failure in
                done(failure.map { .failure($0) } ?? apply(wanted))
            }
        }
    }

    private func apply(_ wanted: SandboxConfiguration) -> Result<Void, GuestFailure> {
        guard configuration == nil else { return .success(()) }
        do throws(GuestFailure) {
            for interface in wanted.interfaces ?? [] { try setUp(interface) }
            let disks = try BlockDevices.find(serials: [wanted.scratchDisk])
            try Sandbox.apply(wanted, scratchDevice: disks[wanted.scratchDisk] ?? "")
            configuration = wanted
            return .success(())
        } catch {
            return .failure(error)
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
