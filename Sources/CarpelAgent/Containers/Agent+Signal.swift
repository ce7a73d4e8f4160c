import CarpelGuestProtocol
import Glibc

extension Agent {
    func signal(_ container: Container, _ number: Int32, everyProcess: Bool) throws(GuestFailure) {
        let process = try container.running()
        guard everyProcess else { return try process.signal(number) }
        if number == SIGKILL { return container.cgroup.killAll() }
        for pid in container.cgroup.processes { kill(pid, number) }
    }
}
