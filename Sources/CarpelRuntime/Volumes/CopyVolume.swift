import CarpelCore
import CarpelGuestProtocol
import CarpelPluginSDK

extension Runtime {
    /// Copies a volume while nobody changes it: the file system of a pod that may write to it is frozen meanwhile.
    ///
    /// - Parameters:
    ///   - volumeID: nil if there is nothing to copy from.
    ///   - discard: takes back a copy that cannot be trusted, since the guest has thawed before its end.
    func copying<Copy: Sendable>(
        _ volumeID: String?, plugin: String, _ copy: @escaping @Sendable () async throws -> Copy,
        discard: @Sendable (Copy) async throws -> Void
    ) async throws -> Copy {
        guard let volumeID, let (running, name) = try await writer(of: volumeID, plugin: plugin) else {
            return try await copy()
        }
        try await translated("hold the pod's writes") { try await running.guest.freeze(name) }
        let outcome = await result { try await running.guest.keepingFrozen(name, copy) }
        do {
            try await translated("let the pod write again") { try await running.guest.ask(.thawVolume(name: name)) }
        } catch {
            if case .success(let worthless) = outcome { try await discard(worthless) }
            throw error
        }
        return try outcome.get()
    }

    private func result<Value>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    /// The pod that may be writing to the volume, and what it calls it.
    /// - Throws: `.failedPrecondition`/`volumeInUse` if its writes cannot be held.
    private func writer(of volumeID: String, plugin: String) async throws -> (RunningPod, String)? {
        for (pod, name) in await holders(of: volumeID, plugin: plugin) {
            if let running = try await pod.writer(of: name) { return (running, name) }
        }
        return nil
    }
}

extension PodSandbox {
    /// The pod as a writer of its volume; nil if it cannot write, or has no machine any more.
    fileprivate func writer(of volume: String) throws -> RunningPod? {
        guard let publication = record.volumes.first(where: { $0.name == volume })?.publication,
            !publication.readOnly
        else { return nil }
        switch state {
        case .stopped, .gone: return nil
        case .ready(let running) where publication.mode == .filesystem: return running
        case .ready, .new, .starting, .stopping:
            throw CarpelError(
                .failedPrecondition, "volumeInUse",
                publication.mode == .block
                    ? "the pod \(id.prefix(13)) may be writing to the block volume, and only file systems can be "
                        + "held still; stop the pod first"
                    : "the pod \(id.prefix(13)) with the volume is being started or stopped; try again",
                field: "volume")
        }
    }
}

extension Guest {
    /// A guest whose host has gone silent thaws after this long.
    private static var freezeTimeout: Duration { .seconds(60) }

    fileprivate func freeze(_ volume: String) async throws {
        let seconds = UInt32(Self.freezeTimeout.components.seconds)
        try await ask(.freezeVolume(name: volume, timeoutSeconds: seconds))
    }

    /// Renews the freeze as long as `copy` takes.
    fileprivate func keepingFrozen<Copy: Sendable>(
        _ volume: String, _ copy: @escaping @Sendable () async throws -> Copy
    ) async throws -> Copy {
        let renewal = Task {
            while true {
                try await Task.sleep(for: Self.freezeTimeout / 3)
                try await freeze(volume)
            }
        }
        defer { renewal.cancel() }
        return try await copy()
    }
}
