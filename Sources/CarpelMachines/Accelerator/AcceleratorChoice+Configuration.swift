import CarpelCore

extension AcceleratorChoice {
    /// Chooses by the configuration, the probe and QEMU's account. Blocks for as long as the probe takes.
    ///
    /// - Throws: `CarpelError` with `.failedPrecondition`: `kvmNotAccessible` if KVM works and QEMU's account cannot
    ///   open the device (libvirt would take a minute to find out), `kvmUnusable` if KVM was asked for and does not work.
    static func choose(_ wanted: MachinesConfiguration.Accelerator, account: Account, probe: KVMProbe) throws -> Self {
        guard wanted != .tcg else { return AcceleratorChoice(kind: .tcg, reason: "the configuration asks for TCG") }
        let why: String
        switch probe.run() {
        case .good(let best):
            try requireAccess(account, to: probe.device)
            return AcceleratorChoice(kind: .kvm, reason: "\(probe.device) ran the probe in \(best)")
        case .absent: why = "there is no \(probe.device)"
        case .closed(let error): why = "\(probe.device) cannot be opened: \(error)"
        case .bad(let finding): why = "\(probe.device) does not run guests properly: \(finding)"
        }
        guard wanted == .auto else {
            throw CarpelError(
                .failedPrecondition, "kvmUnusable",
                "KVM is configured, but \(why); set the accelerator to 'auto' or 'tcg' to run without it")
        }
        return AcceleratorChoice(kind: .tcg, reason: why)
    }

    static func requireAccess(_ account: Account, to device: String) throws {
        guard account.obstacle(to: [.read, .write], at: device) != nil else { return }
        let group = FileStatus(device).map { Account.groupName($0.group) } ?? "kvm"
        throw CarpelError(
            .failedPrecondition, "kvmNotAccessible",
            "\(account.name), who runs QEMU, cannot open \(device); add it to group \(group) with "
                + "'usermod -aG \(group) \(account.name)' and restart carpeld")
    }
}
