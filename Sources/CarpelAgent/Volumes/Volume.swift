import CarpelGuestProtocol

/// A volume of the pod, and what is being done to it: one thing after the other.
final class Volume {
    private static let folder = "\(Sandbox.folder)/volumes"

    let volume: GuestVolume
    /// Its disk, once the machine has it.
    var device: String?
    /// Until then it is being prepared.
    var isReady = false
    /// Thaws it when its time is up.
    var thawing: EventLoop.TimerID?
    private var isBusy = false
    private var waiting: [(@escaping () -> Void) -> Void] = []

    init(_ volume: GuestVolume) { self.volume = volume }

    var name: String { volume.name }
    /// Where it is mounted, unless it is a block volume.
    var path: String { "\(Self.folder)/\(name)" }
    /// What it is on the scratch disk, if it is there.
    var scratchFolder: String { "\(Sandbox.scratch)/volumes/\(name)" }
    var isFrozen: Bool { thawing != nil }

    /// The serial of its disk, if it has one.
    var serial: String? {
        switch volume.source {
        case .disk(let serial, _), .block(let serial): serial
        case .memory, .scratch: nil
        }
    }

    var isBlock: Bool {
        if case .block = volume.source { true } else { false }
    }

    /// The type of the file system on its disk, if it has one.
    var fileSystem: String? {
        if case .disk(_, let fileSystem) = volume.source { fileSystem } else { nil }
    }

    /// Runs `operation` when those before it have called what they were handed.
    func enqueue(_ operation: @escaping (@escaping () -> Void) -> Void) {
        waiting.append(operation)
        goOn()
    }

    private func goOn() {
        guard !isBusy, !waiting.isEmpty else { return }
        isBusy = true
        waiting.removeFirst()({ [self] in
            isBusy = false
            goOn()
        })
    }

    func checkName() throws(GuestFailure) {
        let letters = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard letters, (1...128).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw GuestFailure(.invalidArgument, "\(name) cannot be the name of a volume")
        }
    }
}
