extension DiskSpec {
    /// Where a disk is plugged in.
    enum Slot: Hashable, Sendable {
        case scsi(unit: Int)
        case virtioBlock(index: Int, slot: Int)
    }

    /// The highest LUN that QEMU's virtio-scsi takes.
    static let lastUnit = 16383

    func element(at slot: Slot) -> DomainElement {
        var children = [
            driver,
            isBlockDevice
                ? DomainElement("source", ["dev": path])
                : DomainElement("source", ["file": path]),
            slot.target,
            DomainElement("serial", text: serial),
        ]
        if readOnly { children.append(DomainElement("readonly")) }
        if let limits, !limits.elements.isEmpty { children.append(DomainElement("iotune", limits.elements)) }
        children.append(slot.address)
        return DomainElement("disk", ["type": isBlockDevice ? "block" : "file", "device": "disk"], children)
    }

    /// `writeback`: what the guest has flushed is on the host's disk, and what it has only written is where every
    /// reader on the host finds it, such as a plugin that copies the file of a frozen volume. Passing the host's
    /// page cache by would keep the first promise too, but not on every file system.
    private var driver: DomainElement {
        var attributes = [(name: "name", value: "qemu"), (name: "type", value: format.rawValue)]
        if !readOnly { attributes.append((name: "cache", value: "writeback")) }
        attributes.append((name: "discard", value: "unmap"))
        if bus == .virtioBlock { attributes.append((name: "queues", value: Controllers.oneQueue)) }
        return DomainElement("driver", attributes: attributes)
    }

    private var isBlockDevice: Bool { FileStatus(path)?.kind == .blockDevice }
}

extension DiskSpec.Limits {
    fileprivate var elements: [DomainElement] {
        [
            ("read_bytes_sec", readBytesPerSecond), ("write_bytes_sec", writeBytesPerSecond),
            ("read_iops_sec", readOperationsPerSecond), ("write_iops_sec", writeOperationsPerSecond),
        ].compactMap { name, value in value.map { DomainElement(name, text: "\($0)") } }
    }
}

extension DiskSpec.Slot {
    fileprivate var target: DomainElement {
        switch self {
        case .scsi(let unit): DomainElement("target", ["dev": "sd" + Self.letters(unit), "bus": "scsi"])
        case .virtioBlock(let index, _): DomainElement("target", ["dev": "vd" + Self.letters(index), "bus": "virtio"])
        }
    }

    /// Stated for SCSI too: libvirt derives seven units a controller from the target's name, and adds controllers.
    fileprivate var address: DomainElement {
        switch self {
        case .scsi(let unit):
            DomainElement(
                "address", ["type": "drive", "controller": "0", "bus": "0", "target": "0", "unit": "\(unit)"])
        case .virtioBlock(_, let slot): RootBus.address(slot)
        }
    }

    /// a, b … z, aa, ab …: what libvirt wants a target to be called. The guest numbers its disks by itself.
    static func letters(_ index: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index % 26)))
        return index < 26 ? letter : letters(index / 26 - 1) + letter
    }
}
