import CarpelCore

extension LibvirtMachine {
    func attachedDisks() async throws -> [String] {
        let live = try await calls.run("listing the disks of machine \(id)", timeout: timeout) { [domain] in
            try domain.live()
        }
        return live.disks.compactMap(\.serial)
    }

    func attach(_ disk: DiskSpec) async throws {
        guard disk.bus == .scsi else {
            throw CarpelError(
                .invalidArgument, "diskBus", "disk \(disk.serial) can only be plugged in as a SCSI disk", field: "bus")
        }
        try disk.validate()
        try disk.prepare(for: account)
        try await deviceOperations.run { [self] in
            try await calls.run("plugging disk \(disk.serial) into machine \(id)", timeout: timeout) { [domain] in
                let live = try domain.live()
                if let present = live.disks.first(where: { $0.serial == disk.serial }) {
                    guard present.path != disk.path else { return }
                    throw CarpelError(
                        .alreadyExists, "diskSerialInUse",
                        "\(present.path ?? "another disk") is plugged in with serial \(disk.serial)", field: "serial")
                }
                guard let unit = live.freeUnit else {
                    throw CarpelError(
                        .resourceExhausted, "noFreeDiskSlot", "the machine has as many disks as it can take")
                }
                try domain.attach(disk.element(at: .scsi(unit: unit)).document(), "plugging in disk \(disk.serial)")
            }
        }
    }

    func detach(serial: String) async throws {
        try await deviceOperations.run { [self] in
            let isGone = try await unplug("disk \(serial)") { $0.disks.first { $0.serial == serial }?.document }
            guard isGone else {
                throw CarpelError(
                    .unavailable, "diskBusy", "the guest does not let go of disk \(serial); unmount it and try again")
            }
        }
    }

    func resize(serial: String, to size: ByteCount) async throws {
        try await deviceOperations.run { [self] in
            try await calls.run("resizing disk \(serial) of machine \(id)", timeout: timeout) { [domain] in
                guard let disk = try domain.live().disks.first(where: { $0.serial == serial }) else {
                    throw CarpelError(
                        .notFound, "diskNotAttached", "the machine has no disk \(serial)", field: "serial")
                }
                let present = try domain.capacity(ofDisk: disk.target)
                guard size != present else { return }
                guard size > present else {
                    throw CarpelError(
                        .invalidArgument, "diskWouldShrink", "disk \(serial) has \(present), more than \(size)",
                        field: "size")
                }
                try domain.resize(disk: disk.target, to: size)
            }
        }
    }

    /// Unplugs the device that `find` describes, and waits until libvirt no longer lists it.
    ///
    /// - Returns: False if the guest has not let go of it in ten seconds.
    func unplug(
        _ device: String, _ find: @escaping @Sendable (LiveDomain) throws -> String?
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        let isPresent = try await calls.run("unplugging \(device) from machine \(id)", timeout: timeout) { [domain] in
            guard let document = try find(domain.live()) else { return false }
            try domain.detach(document, "unplugging \(device)")
            return try find(domain.live()) != nil
        }
        guard isPresent else { return true }
        // libvirt has given up waiting, and takes the device off its list when the guest comes round to it.
        while ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(100))
            let isPresent = try await calls.run("looking for \(device) of machine \(id)", timeout: timeout) {
                [domain] in try find(domain.live()) != nil
            }
            if !isPresent { return true }
        }
        return false
    }
}
