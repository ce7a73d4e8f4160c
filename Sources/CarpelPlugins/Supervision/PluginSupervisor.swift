import CarpelCore
import Foundation
import Logging

/// Keeps one plugin running: starts its host, starts it again when it has died, and hands calls to the right version.
actor PluginSupervisor: PluginCalling {
    nonisolated let name: String
    nonisolated let kind: PluginKind
    nonisolated let limits: PluginLimits
    /// The plugin's folder.
    nonisolated let folder: String

    private let hosting: PluginHosting
    private let logger: Logger
    private var current: PluginGeneration
    /// The older ones, the oldest first.
    private var old: [PluginGeneration] = []
    /// Attachments that are counted since an answer came, of which it is not known yet whether it was an error.
    private var unsettled: Set<AttachmentUser> = []
    private var isClosing = false
    /// Set when the first start has come to an end, whatever it was.
    private let firstStart = Latch<Void>()
    private var reloading: Task<Void, any Error>?
    private var restarts = 0
    private var calls: UInt64 = 0

    init(manifest: PluginManifest, folder: String, hosting: PluginHosting, logger: Logger) {
        name = manifest.name
        kind = manifest.kind
        self.folder = folder
        self.hosting = hosting
        limits = hosting.limits
        var logger = logger
        logger[metadataKey: "plugin"] = "\(manifest.name)"
        self.logger = logger
        current = PluginGeneration(
            number: 1, launch: HostLaunch(manifest: manifest, hosting: hosting, logger: logger))
    }

    /// Starts the plugin; returns when it is ready, has failed or must be tried again later.
    func start() async {
        if current.life == nil && !current.hasEnded { live(current) }
        try? await firstStart.wait()
    }

    /// Ends all hosts, after their calls in flight.
    func close() async {
        isClosing = true
        reloading?.cancel()
        for generation in old + [current] { await end(generation) }
        old = []
    }
}

// MARK: - Calls

extension PluginSupervisor {
    func call(_ verb: String, _ request: CallBody, timeout: Duration, use: AttachmentUse) async throws -> Data {
        let deadline = ContinuousClock.now + timeout
        do {
            do {
                return try await attempt(verb, request, deadline, use)
            } catch let error as CarpelError where error.reason == "pluginDied" && ContinuousClock.now < deadline {
                // Every verb is idempotent: that is what the interface asks of a plugin.
                logger.warning(
                    "calls the plugin again", metadata: ["verb": "\(verb)", "cause": "\(error.message)"])
                return try await attempt(verb, request, deadline, use)
            }
        } catch {
            throw CarpelError.wrapping(error, callOf: verb, plugin: name)
        }
    }

    private func attempt(
        _ verb: String, _ request: CallBody, _ deadline: ContinuousClock.Instant, _ use: AttachmentUse
    ) async throws -> Data {
        let generation = generation(for: use)
        generation.callsInFlight += 1
        defer {
            generation.callsInFlight -= 1
            retireUnused()
        }
        let host = try await host(of: generation, deadline)
        do {
            let answer = try await host.call(verb, request, timeout: max(deadline - .now, .zero))
            calls += 1
            // Before the call is counted as done, or an old version could go between its answer and its use.
            if case .takes(let user) = use, generation.users.insert(user).inserted { unsettled.insert(user) }
            return answer
        } catch let error as CarpelError where error.reason == "pluginDied" {
            // The next call must wait for the next host, also where this one's end has not been noticed yet.
            if generation.host === host { generation.state = .starting(Latch()) }
            throw error
        }
    }

    func settle(_ use: AttachmentUse, succeeded: Bool) {
        switch use {
        case .none, .uses: return
        case .takes(let user):
            guard unsettled.remove(user) != nil, !succeeded else { return }
            release { $0 == user }
        case .gives(let user):
            if succeeded { release { $0 == user } }
        case .givesAll(let isGiven):
            if succeeded { release(isGiven) }
        }
    }

    private func release(_ isGiven: (AttachmentUser) -> Bool) {
        for generation in old + [current] { generation.users = generation.users.filter { !isGiven($0) } }
        retireUnused()
    }

    private func generation(for use: AttachmentUse) -> PluginGeneration {
        switch use {
        case .takes(let user), .uses(let user), .gives(let user):
            old.first { $0.users.contains(user) } ?? current
        case .none, .givesAll: current
        }
    }

    /// Waits for the version's host if it is being started, at most until the deadline.
    private func host(of generation: PluginGeneration, _ deadline: ContinuousClock.Instant) async throws -> HostProcess
    {
        switch generation.state {
        case .ready(let host): return host
        case .failed(let cause):
            throw CarpelError(.unavailable, "pluginFailed", "the plugin \(name) does not work: \(cause.message)")
        case .ended:
            guard !isClosing, generation !== current else {
                throw CarpelError(.unavailable, "pluginClosed", "the plugin \(name) has been stopped with the daemon")
            }
            return try await host(of: current, deadline)
        case .backingOff(let until, let cause, _) where until >= deadline:
            throw CarpelError(
                .unavailable, "pluginBackingOff",
                "the plugin \(name) is started again later, after it failed: \(cause.message)")
        case .backingOff(_, _, let latch), .starting(let latch):
            return try await withDeadline(
                max(deadline - .now, .zero), reason: "deadlineExceeded", "the start of the plugin \(name)"
            ) {
                try await latch.wait()
            }.get()
        }
    }
}

// MARK: - The life of hosts

extension PluginSupervisor {
    /// Starts hosts of a version, one after the other, until the version is not needed or cannot work.
    private func live(_ generation: PluginGeneration, with host: HostProcess? = nil) {
        generation.life = Task { await run(generation, with: host) }
    }

    private func run(_ generation: PluginGeneration, with first: HostProcess?) async {
        var backoff = RestartBackoff(limits)
        var next = first
        while !generation.hasEnded {
            let begin = ContinuousClock.now
            let death: CarpelError
            do {
                let host: HostProcess
                if let first = next.take() { host = first } else { host = try await start(generation) }
                death = try await serve(generation, host)
            } catch is CancellationError {
                return
            } catch {
                guard !generation.hasEnded else { return }
                let error = CarpelError.wrapping(error, during: "start the plugin \(name)")
                guard error.isWorthAnotherStart else { return fail(generation, error) }
                death = error
            }
            guard !generation.hasEnded, generation === current else { return retire(generation) }
            let delay = backoff.delay(afterLifetime: ContinuousClock.now - begin)
            restarts += 1
            logger.error("the plugin has died", metadata: ["cause": "\(death.message)", "restartIn": "\(delay)"])
            wait(generation, delay, death)
            await firstStart.set(())
            do { try await Task.sleep(for: delay) } catch { return }
        }
    }

    private func start(_ generation: PluginGeneration) async throws -> HostProcess {
        generation.state = .starting(generation.latch ?? Latch())
        return try await HostProcess.start(generation.launch)
    }

    /// - Returns: why the host has died.
    private func serve(_ generation: PluginGeneration, _ host: HostProcess) async throws -> CarpelError {
        guard !generation.hasEnded else {
            await host.close()
            throw CancellationError()
        }
        let latch = generation.latch
        generation.state = .ready(host)
        await latch?.set(.success(host))
        await firstStart.set(())
        logger.info(
            "ready",
            metadata: [
                "version": "\(generation.launch.manifest.version)", "pid": "\(host.processID)",
                "took": "\(host.startDuration)",
            ])
        if !host.limitsMissing.isEmpty {
            logger.warning("some limits are not in force here", metadata: ["missing": "\(host.limitsMissing)"])
        }
        let end = await host.end()
        if generation.hasEnded { throw CancellationError() }
        return CarpelError(.unavailable, "pluginDied", "its host died: \(end)")
    }

    private func wait(_ generation: PluginGeneration, _ delay: Duration, _ cause: CarpelError) {
        let latch = generation.latch ?? Latch()
        generation.state = .backingOff(until: .now + delay, since: cause, latch)
    }

    private func fail(_ generation: PluginGeneration, _ error: CarpelError) {
        let latch = generation.latch
        generation.state = .failed(error)
        logger.error("the plugin does not work", metadata: ["cause": "\(error.message)", "reason": "\(error.reason)"])
        Task { [name, firstStart] in
            let failure = CarpelError(
                .unavailable, "pluginFailed", "the plugin \(name) does not work: \(error.message)")
            await latch?.set(.failure(failure))
            await firstStart.set(())
        }
    }

    /// Ends a version's host, after its calls in flight.
    private func end(_ generation: PluginGeneration) async {
        let (host, latch) = (generation.host, generation.latch)
        generation.state = .ended
        generation.life?.cancel()
        await latch?.set(.failure(CarpelError(.unavailable, "pluginClosed", "the plugin \(name) has been stopped")))
        await host?.close()
        await generation.life?.value
    }

    /// Takes away old versions that nothing needs any more.
    private func retireUnused() {
        for generation in old where generation.users.isEmpty && generation.callsInFlight == 0 { retire(generation) }
    }

    private func retire(_ generation: PluginGeneration) {
        guard generation !== current else { return }
        old.removeAll { $0 === generation }
        guard !generation.hasEnded else { return }
        logger.info("an old version has ended", metadata: ["version": "\(generation.launch.manifest.version)"])
        // Not the caller's business, and the life that ends may be the caller itself.
        Task { await end(generation) }
    }
}

// MARK: - Reload

extension PluginSupervisor {
    /// Starts what is on disk now beside what serves, and puts it in its place if it works.
    ///
    /// - Throws: why it does not; everything then stays as it was.
    func reload() async throws {
        // One after the other: the second may have newer files than the first.
        let previous = reloading
        let task = Task {
            _ = try? await previous?.value
            try await self.replaceCurrent()
        }
        reloading = task
        try await task.value
    }

    private func replaceCurrent() async throws {
        let manifest = try PluginManifest(folder: folder)
        guard manifest.name == name, manifest.kind == kind else {
            throw CarpelError(
                .failedPrecondition, "pluginRenamed",
                "\(folder) now has the \(manifest.kind) plugin \(manifest.name); restart carpeld to take it for another"
            )
        }
        let next = PluginGeneration(
            number: current.number + 1, launch: HostLaunch(manifest: manifest, hosting: hosting, logger: logger))
        let host: HostProcess
        do {
            host = try await HostProcess.start(next.launch)
        } catch {
            let error = CarpelError.wrapping(error, during: "reload the plugin \(name)")
            if case .failed = current.state { current.state = .failed(error) }
            throw error
        }
        guard !isClosing else {
            await host.close()
            throw CarpelError(.unavailable, "pluginClosed", "the plugin \(name) has been stopped")
        }
        let previous = current
        next.state = .ready(host)
        current = next
        old.append(previous)
        live(next, with: host)
        // Whoever waited for the version before gets the new one.
        if let latch = previous.latch { await latch.set(.success(host)) }
        if previous.host == nil { retire(previous) }
        retireUnused()
    }
}

// MARK: - Status

extension PluginSupervisor {
    func status() -> PluginStatus {
        let manifest = current.launch.manifest
        var status = PluginStatus(name: name, path: folder, state: state)
        status.kind = kind
        status.version = manifest.version
        status.description = manifest.description
        status.capabilities = manifest.capabilities
        status.seccomp = manifest.seccomp
        status.manifest = manifest.text
        status.configuration = current.launch.configuration
        status.restarts = restarts
        status.calls = calls
        status.oldGenerations = old.map {
            PluginStatus.OldGeneration(
                version: $0.launch.manifest.version, processID: $0.host?.processID, users: $0.users.count,
                callsInFlight: $0.callsInFlight)
        }
        guard let host = current.host else { return status }
        status.processID = host.processID
        status.apiVersion = host.apiVersion
        status.startDuration = host.startDuration
        status.residentMemory = host.residentMemory
        status.limitsMissing = host.limitsMissing
        return status
    }

    private var state: PluginStatus.State {
        guard !isClosing else { return .draining }
        switch current.state {
        case .starting: return current.life == nil ? .discovered : .starting
        case .ready: return .ready
        case .backingOff(let until, let cause, _):
            let time = Date.now.timeIntervalSince1970 * 1e9 + Double((until - .now).nanoseconds)
            return .backingOff(until: Int64(time), cause: cause)
        case .failed(let cause): return .failed(cause: cause)
        case .ended: return .draining
        }
    }
}

extension PluginGeneration {
    /// What whoever waits for a host waits for.
    fileprivate var latch: Latch<Start>? {
        switch state {
        case .starting(let latch), .backingOff(_, _, let latch): latch
        case .ready, .failed, .ended: nil
        }
    }
}

extension CarpelError {
    fileprivate static func wrapping(_ error: any Error, callOf verb: String, plugin: String) -> CarpelError {
        error as? CarpelError ?? .wrapping(error, during: "\(verb) of the plugin \(plugin)")
    }

    /// Whether what kept a plugin from starting may pass by itself.
    fileprivate var isWorthAnotherStart: Bool {
        switch code {
        case .unavailable, .deadlineExceeded, .resourceExhausted, .aborted: true
        default: false
        }
    }
}
