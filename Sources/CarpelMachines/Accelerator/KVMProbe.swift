import CKVM
import CarpelCore
import Dispatch
import Glibc
import Synchronization

/// Finds out whether `/dev/kvm` runs guests properly.
///
/// That it opens proves nothing: on nested and paravirtual hosts it may emulate every instruction, or never return. A
/// guest counts to ten thousand, which takes a processor some ten microseconds and an emulator tens of milliseconds.
struct KVMProbe: Sendable {
    enum Outcome: Equatable, Sendable {
        case good(best: Duration)
        /// With a clause that says why.
        case bad(String)
        case absent
        /// Present, but this process cannot open it.
        case closed(String)
    }

    var device = "/dev/kvm"
    var code = KVMGuest.countingCode(iterations: 10000)
    var limit: Duration = .milliseconds(1)
    var patience: Duration = .milliseconds(100)

    /// Blocks for up to twice ``patience``.
    func run() -> Outcome {
        guard access(device, F_OK) == 0 else { return .absent }
        let descriptor = open(device, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return .closed(String(cString: strerror(errno))) }
        guard ioctl(descriptor, carpel_kvm_get_api_version, 0) == 12 else {
            close(descriptor)
            return .bad("\(device) does not speak KVM's API version 12")
        }
        return Attempt(descriptor: descriptor, probe: self).result(patience: patience)
    }

    fileprivate func judge(_ device: Int32) -> Outcome {
        do throws(KVMFailure) {
            let guest = try KVMGuest(device: device, code: code)
            try guest.letThrough(SIGURG)
            var best: Duration?
            for _ in 0..<3 {
                let start = ContinuousClock.now
                try guest.runToHalt()
                let took = start.duration(to: .now)
                best = min(best ?? took, took)
            }
            guard let best, best < limit else {
                return .bad("ten thousand instructions took \(best ?? .zero), which only an emulator needs")
            }
            return .good(best: best)
        } catch {
            return .bad(error.wasInterrupted ? "a guest did not come back in \(patience)" : error.description)
        }
    }
}

/// One run of the probe, on a thread of its own that can be interrupted, and given up if even that does not help.
private final class Attempt: Sendable {
    private let descriptor: Int32
    private let probe: KVMProbe
    private let outcome = Mutex<KVMProbe.Outcome?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(descriptor: Int32, probe: KVMProbe) {
        self.descriptor = descriptor
        self.probe = probe
    }

    func result(patience: Duration) -> KVMProbe.Outcome {
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Attempt>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard failure == 0 else { return .bad("no thread for the probe: \(String(cString: strerror(failure)))") }
        let wait = DispatchTimeInterval.nanoseconds(Int(patience / .nanoseconds(1)))
        if done.wait(timeout: .now() + wait) == .timedOut {
            // The thread is neither joined nor detached yet, so its handle is valid even if it has just ended.
            pthread_kill(thread, SIGURG)
            if done.wait(timeout: .now() + wait) == .timedOut {
                pthread_detach(thread)
                return .bad("a guest did not come back in \(patience), not even when interrupted")
            }
        }
        pthread_join(thread, nil)
        return outcome.withLock { $0 } ?? .bad("the probe ended without an outcome")
    }

    private func work() {
        // Blocked outside of the guest, SIGURG waits for the next run instead of being ignored.
        var blocked = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGURG)
        pthread_sigmask(SIG_BLOCK, &blocked, nil)
        let result = probe.judge(descriptor)
        close(descriptor)
        outcome.withLock { $0 = result }
        done.signal()
    }
}
