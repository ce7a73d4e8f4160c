import CarpelCore
import Foundation
import FoundationXML

/// What Carpel reads in the description of a domain that runs.
struct LiveDomain: Sendable, Equatable {
    struct Disk: Sendable, Equatable {
        let serial: String?
        let path: String?
        let target: String
        /// The LUN, of a disk of the virtio-scsi controller.
        let unit: Int?
        /// The element itself, which is what libvirt wants to hear to unplug the disk.
        let document: String
    }

    struct Interface: Sendable, Equatable {
        /// In lower case.
        let macAddress: String
        let tap: String?
        /// QEMU's name for it.
        let alias: String
        /// The slot on the ``HotplugBus``; nil if it sits elsewhere, and cannot be unplugged.
        let hotplugSlot: Int?
        let document: String
    }

    let uuid: String
    let name: String
    let mark: OwnershipMark?
    let channelPath: String?
    let bootLogPath: String?
    let disks: [Disk]
    let interfaces: [Interface]
    let capacity: MachineCapacity
    /// What the memory may become, of a domain into which some can be plugged.
    let maximumMemory: ByteCount?
    /// What has been plugged in, in the order of the slots.
    let modules: [ByteCount]
    /// The element of the shared folder, if there is one.
    let sharedFolder: String?
    /// As in `pc-q35-7.2`.
    let machineType: String
    /// Whether the guest's memory is shared with other processes, as a shared folder needs.
    let sharesMemory: Bool

    init(parsing document: String) throws {
        let root: XMLElement
        do {
            guard let element = try XMLDocument(xmlString: document).rootElement() else {
                throw CarpelError(.internal, "domainUnreadable", "libvirt described a domain with an empty document")
            }
            root = element
        } catch {
            throw CarpelError.wrapping(error, during: "reading libvirt's description of a domain")
        }
        uuid = root.child("uuid")?.stringValue ?? ""
        name = root.child("name")?.stringValue ?? ""
        mark = root.child("metadata")?.ownershipMark
        let devices = root.child("devices")
        channelPath = devices?.all("channel")
            .first { $0.child("target")?.value("name") == AgentChannel.portName }?
            .child("source")?.value("path")
        bootLogPath = (devices?.child("serial") ?? devices?.child("console"))?.child("source")?.value("path")
        disks = (devices?.all("disk") ?? []).map(Disk.init)
        interfaces = (devices?.all("interface") ?? []).map(Interface.init)
        let processors = root.child("vcpu")
        let maximum = processors?.stringValue.flatMap { Int($0) } ?? 0
        capacity = MachineCapacity(
            virtualCPUs: processors?.value("current").flatMap { Int($0) } ?? maximum, maximumVirtualCPUs: maximum,
            memory: root.child("memory")?.kibibytes ?? ByteCount(0))
        maximumMemory = root.child("maxMemory")?.kibibytes
        modules = (devices?.all("memory") ?? []).map { $0.child("target")?.child("size")?.kibibytes ?? ByteCount(0) }
        sharedFolder = devices?.child("filesystem")?.xmlString
        machineType = root.child("os")?.child("type")?.value("machine") ?? ""
        sharesMemory = root.child("memoryBacking")?.child("access")?.value("mode") == "shared"
    }

    /// The lowest LUN that no disk has.
    var freeUnit: Int? {
        let taken = Set(disks.compactMap(\.unit))
        return (0...DiskSpec.lastUnit).first { !taken.contains($0) }
    }

    /// The lowest slot of the ``HotplugBus`` that no interface has.
    var freeHotplugSlot: Int? {
        let taken = Set(interfaces.compactMap(\.hotplugSlot))
        return HotplugBus.slots.first { !taken.contains($0) }
    }
}

extension LiveDomain.Disk {
    fileprivate init(_ element: XMLElement) {
        let source = element.child("source")
        let target = element.child("target")
        serial = element.child("serial")?.stringValue
        path = source?.value("file") ?? source?.value("dev")
        self.target = target?.value("dev") ?? ""
        unit = target?.value("bus") == "scsi" ? element.child("address")?.value("unit").flatMap { Int($0) } : nil
        document = element.xmlString
    }
}

extension LiveDomain.Interface {
    fileprivate init(_ element: XMLElement) {
        macAddress = element.child("mac")?.value("address")?.lowercased() ?? ""
        tap = element.child("target")?.value("dev")
        alias = element.child("alias")?.value("name") ?? ""
        let address = element.child("address")
        let isHotplugged = address?.number("bus") == HotplugBus.number
        hotplugSlot = isHotplugged ? address?.number("slot") : nil
        document = element.xmlString
    }
}

extension XMLElement {
    fileprivate func all(_ name: String) -> [XMLElement] {
        (children ?? []).compactMap { $0 as? XMLElement }.filter { $0.localName == name }
    }

    fileprivate func child(_ name: String) -> XMLElement? { all(name).first }

    fileprivate func value(_ attribute: String) -> String? { self.attribute(forName: attribute)?.stringValue }

    /// Written `29` or, as libvirt does, `0x1d`.
    fileprivate func number(_ attribute: String) -> Int? {
        value(attribute).flatMap { $0.hasPrefix("0x") ? Int($0.dropFirst(2), radix: 16) : Int($0) }
    }

    /// libvirt writes this unit whatever was given.
    fileprivate var kibibytes: ByteCount? { stringValue.flatMap { Int64($0) }.map(ByteCount.kibibytes) }

    fileprivate var ownershipMark: OwnershipMark? {
        guard let pod = all("pod").first(where: { $0.uri == OwnershipMark.namespace }),
            let id = pod.value("id"), let root = pod.value("root")
        else { return nil }
        return OwnershipMark(id: id, root: root)
    }
}
