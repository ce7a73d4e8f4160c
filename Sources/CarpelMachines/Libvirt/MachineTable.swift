import Synchronization

/// The machines that this process knows, and whom libvirt's events about them concern.
final class MachineTable: Sendable {
    private struct Expected {
        let fate: MachineFate
        let bootLogPath: String?
    }

    private struct State {
        var fates: [String: Expected] = [:]
        var machines: [String: LibvirtMachine] = [:]
        var starting: Set<String> = []
    }

    private let state = Mutex(State())

    /// - Returns: False if a start of the machine is under way or it runs.
    func reserve(_ id: String) -> Bool {
        state.withLock { state in
            guard state.machines[id]?.hasEnded ?? true else { return false }
            return state.starting.insert(id).inserted
        }
    }

    func release(_ id: String) { state.withLock { _ = $0.starting.remove(id) } }

    /// To be called before the domain starts, so that no event is missed.
    func expect(_ uuid: String, bootLogPath: String?) -> MachineFate {
        let fate = MachineFate()
        state.withLock { $0.fates[uuid] = Expected(fate: fate, bootLogPath: bootLogPath) }
        return fate
    }

    /// Listed until its end, however it ends; libvirt's events about it are heard until the last.
    func add(_ machine: LibvirtMachine) {
        state.withLock { $0.machines[machine.id] = machine }
        Task {
            _ = await machine.end()
            state.withLock { state in
                if state.machines[machine.id] === machine { state.machines[machine.id] = nil }
            }
        }
    }

    func forget(uuid: String) { state.withLock { _ = $0.fates.removeValue(forKey: uuid) } }

    func machine(_ id: String) -> LibvirtMachine? {
        state.withLock { $0.machines[id] }.flatMap { $0.hasEnded ? nil : $0 }
    }

    func observe(_ event: LifecycleEvent) {
        guard let meaning = event.meaning, let expected = state.withLock({ $0.fates[event.uuid] }) else { return }
        expected.fate.observe(meaning, bootLogPath: expected.bootLogPath)
        if meaning == .stopped { forget(uuid: event.uuid) }
    }

    func abandonAll() {
        let fates = state.withLock { $0.fates.values.map(\.fate) }
        for fate in fates { fate.abandon() }
    }
}
