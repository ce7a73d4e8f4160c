import CarpelGuestProtocol
import Glibc

extension Agent {
    func growVolume(_ name: String, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        change(name, done) { [unowned self] volume, done throws(GuestFailure) in
            guard let device = volume.device else {
                throw GuestFailure(.invalidState, "the volume \(name) has no disk that could have grown")
            }
            // It would wait for the thaw, and the thaw for it.
            guard !volume.isFrozen else { throw GuestFailure(.busy, "the volume \(name) is frozen; thaw it first") }
            try BlockDevices.rescan(device)
            guard !volume.isBlock, !volume.volume.readOnly else { return done(nil) }
            grow(volume, done)
        }
    }

    func freezeVolume(_ name: String, seconds: UInt32, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        change(name, done) { [unowned self] volume, done throws(GuestFailure) in
            guard volume.fileSystem != nil else {
                throw GuestFailure(.invalidArgument, "only the file system of a disk can be frozen; \(name) has none")
            }
            guard (1...3600).contains(seconds) else {
                throw GuestFailure(.invalidArgument, "a volume can be frozen for 1 to 3600 seconds, not \(seconds)")
            }
            let steps = Steps()
            steps.freeze(volume.path)
            run(steps) { [unowned self] failure in
                if failure == nil { thawLater(volume, seconds: seconds) }
                done(failure)
            }
        }
    }

    func thawVolume(_ name: String, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        change(name, done) { [unowned self] volume, done throws(GuestFailure) in
            guard volume.isFrozen else { throw GuestFailure(.invalidState, "the volume \(name) is not frozen") }
            thaw(volume, done)
        }
    }

    /// A host that is gone must not leave a pod frozen.
    private func thawLater(_ volume: Volume, seconds: UInt32) {
        if let timer = volume.thawing { loop.cancel(timer) }
        volume.thawing = loop.after(milliseconds: UInt64(seconds) * 1000) { [unowned self] in
            volume.enqueue { [unowned self] finished in
                // Thawed, and perhaps frozen anew, while this waited.
                guard let timer = volume.thawing, !loop.isPending(timer) else { return finished() }
                log.error("the volume \(volume.name) was frozen for \(seconds) seconds and is thawed")
                thaw(volume) { [unowned self] failure in
                    if failure != nil { thawLater(volume, seconds: 1) }
                    finished()
                }
            }
        }
    }

    private func thaw(_ volume: Volume, _ done: @escaping (GuestFailure?) -> Void) {
        let steps = Steps()
        steps.thaw(volume.path)
        run(steps) { [unowned self] failure in
            if failure == nil, let timer = volume.thawing {
                loop.cancel(timer)
                volume.thawing = nil
            }
            done(failure)
        }
    }

    /// Runs `body` on a volume that is ready, when its turn comes.
    private func change(
        _ name: String, _ done: @escaping (Result<Void, GuestFailure>) -> Void,
        _ body: @escaping (Volume, @escaping (GuestFailure?) -> Void) throws(GuestFailure) -> Void
    ) {
        guard let volume = volumes[name] else {
            return done(.failure(GuestFailure(.notFound, "there is no volume \(name)")))
        }
        volume.enqueue { [unowned self] finished in
            let finish = { (failure: GuestFailure?) in
                finished()
                done(failure.map { .failure($0) } ?? .success(()))
            }
            guard volumes[name] === volume else { return finish(GuestFailure(.notFound, "\(name) is gone")) }
            do throws(GuestFailure) {
                try body(volume, finish)
            } catch {
                finish(error)
            }
        }
    }
}
