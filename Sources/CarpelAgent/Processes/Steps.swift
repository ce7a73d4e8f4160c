import CLinux
import CarpelGuestProtocol
import Glibc

/// What a new process does, in the order in which it is added here, and what to call it when it fails.
final class Steps {
    private let text = CStrings()
    private var steps: [carpel_step] = []
    private var names: [String] = []
    /// Kept open until the process has them.
    private var descriptors: [Descriptor] = []
    private var slots: Int32 = 0

    func withSteps<Result>(_ body: (UnsafeBufferPointer<carpel_step>) -> Result) -> Result {
        steps.withUnsafeBufferPointer(body)
    }

    /// What a report of the process means.
    func failure(_ report: carpel_report) -> GuestFailure {
        let index = Int(report.step)
        let name = names.indices.contains(index) ? names[index] : "prepare the process"
        return CarpelAgent.failure(report.error, .mountFailed, name)
    }

    /// Closes what only the process needs, which it has by now.
    func release() { descriptors = [] }

    /// A place for a mount between its grab and its placement.
    func newSlot() throws(GuestFailure) -> Int32 {
        guard slots < Int32(CARPEL_SLOTS) else {
            throw GuestFailure(.invalidArgument, "a container cannot have so many mounts")
        }
        defer { slots += 1 }
        return slots
    }
}

extension Steps {
    private func add(_ name: String, _ step: carpel_step) {
        names.append(name)
        steps.append(step)
    }

    private func step(_ kind: carpel_step_kind, target: String? = nil, source: String? = nil) -> carpel_step {
        var step = carpel_step()
        step.kind = kind
        step.target = target.map { UnsafePointer(text($0)) }
        step.source = source.map { UnsafePointer(text($0)) }
        return step
    }

    func mount(_ type: String?, from source: String? = nil, on target: String, _ flags: Int, _ options: String? = nil) {
        var step = step(CARPEL_MOUNT, target: target, source: source ?? type)
        step.type = type.map { UnsafePointer(text($0)) }
        step.data = options.map { UnsafePointer(text($0)) }
        step.flags = UInt(flags)
        add("mount \(type ?? source ?? "nothing") on \(target)", step)
    }

    func makeDirectory(_ path: String, mayBeLink: Bool = true) {
        var step = step(CARPEL_DIRECTORY, target: path)
        step.flags = mayBeLink ? 0 : 1
        add("make the directory \(path)", step)
    }

    func makeFile(_ path: String) { add("make the file \(path)", step(CARPEL_FILE, target: path)) }

    func makeNode(_ device: ContainerSpec.Device) {
        var step = step(CARPEL_NODE, target: device.path)
        step.mode = device.mode & 0o7777 | UInt32(device.kind == .block ? S_IFBLK : S_IFCHR)
        step.uid = device.uid
        step.gid = device.gid
        step.device = makedev(device.major, device.minor)
        add("make the device \(device.path)", step)
    }

    func link(_ path: String, to target: String) {
        add("link \(path) to \(target)", step(CARPEL_LINK, target: path, source: target))
    }

    func grab(_ path: String, slot: Int32) {
        var step = step(CARPEL_GRAB, source: path)
        step.slot = slot
        add("take hold of \(path)", step)
    }

    func place(slot: Int32, on path: String) {
        var step = step(CARPEL_PLACE, target: path)
        step.slot = slot
        add("mount on \(path)", step)
    }

    func pivot(to root: String) { add("enter the root", step(CARPEL_PIVOT, target: root)) }

    func makeReadOnly(_ path: String, bind: Bool) {
        var step = step(CARPEL_READ_ONLY, target: path)
        step.flags = bind ? 1 : 0
        add("make \(path) read-only", step)
    }

    func mask(_ path: String) { add("mask \(path)", step(CARPEL_MASK, target: path)) }

    func unshare(_ kinds: Int32) {
        var step = step(CARPEL_UNSHARE)
        step.flags = UInt(kinds)
        add("make namespaces", step)
    }

    func join(_ kinds: Int32, of process: Descriptor) {
        var step = step(CARPEL_JOIN)
        step.flags = UInt(kinds)
        step.slot = process.number
        descriptors.append(process)
        add("join namespaces", step)
    }

    /// - Parameter path: Below `root`, which it cannot leave.
    func grab(_ path: String, inside root: String, _ how: Grab, slot: Int32) {
        var step = step(CARPEL_GRAB_INSIDE, source: root)
        step.type = UnsafePointer(text(path))
        step.flags = UInt(how.rawValue)
        step.slot = slot
        add("take hold of \(path.isEmpty ? root : "\(path) in \(root)")", step)
    }

    /// As `place`, on a directory or file that is made if it is missing.
    func placeAsWhatItIs(slot: Int32, on path: String) {
        var step = step(CARPEL_PLACE_MADE, target: path)
        step.slot = slot
        add("mount on \(path)", step)
    }

    func visit(_ path: String, inside root: String) {
        var step = step(CARPEL_VISIT, source: root)
        step.type = UnsafePointer(text(path))
        add("look at \(path) in \(root)", step)
    }

    func unmount(_ path: String, _ flags: Int = 0) {
        var step = step(CARPEL_UNMOUNT, target: path)
        step.flags = UInt(flags)
        add("unmount \(path)", step)
    }

    func grow(_ path: String, fileSystem: String) {
        var step = step(CARPEL_GROW, target: path)
        step.type = UnsafePointer(text(fileSystem))
        add("grow the file system at \(path)", step)
    }

    func freeze(_ path: String) { add("freeze \(path)", step(CARPEL_FREEZE, target: path)) }
    func thaw(_ path: String) { add("thaw \(path)", step(CARPEL_THAW, target: path)) }

    struct Grab: OptionSet {
        let rawValue: UInt32
        static let readOnly = Grab(rawValue: CARPEL_GRAB_READ_ONLY.rawValue)
        static let recursive = Grab(rawValue: CARPEL_GRAB_RECURSIVE.rawValue)
        static let allReadOnly = Grab(rawValue: CARPEL_GRAB_ALL_READ_ONLY.rawValue)
        static let make = Grab(rawValue: CARPEL_GRAB_MAKE.rawValue)
    }
}

/// As the kernel's `struct stat` wants it (makedev(3)).
private func makedev(_ major: UInt32, _ minor: UInt32) -> UInt64 {
    let (major, minor) = (UInt64(major), UInt64(minor))
    return (major & 0xFFF) << 8 | (major & ~0xFFF) << 32 | minor & 0xFF | (minor & ~0xFF) << 12
}
