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
            DomainElement("driver", ["name": "qemu", "type": format.rawValue, "discard": "unmap"]),
            isBlockDevice
                ? DomainElement("source", ["dev": path])
                : DomainElement("source", ["file": path]),
            slot.target,
            DomainElement("serial", text: serial),
        ]
        if readOnly { children.append(DomainElement("readonly")) }
        children.append(slot.address)
        return DomainElement("disk", ["type": isBlockDevice ? "block" : "file", "device": "disk"], children)
    }

    private var isBlockDevice: Bool { FileStatus(path)?.kind == .blockDevice }
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
