import CarpelCore

extension LibvirtHypervisor {
    public func restore(_ spec: MachineSpec, from state: SavedState) async throws -> any Machine {
        let here = try await shapeOfHost()
        for (what, wanted, present) in [
            ("version of QEMU", state.shape.qemu, here.qemu),
            ("accelerator", state.shape.accelerator.rawValue, accelerator.kind.rawValue),
            ("processor", state.shape.processor, here.processor),
        ] where wanted != present {
            throw CarpelError(
                .failedPrecondition, "machineShapeMismatch",
                "the state was saved with another \(what) (\(wanted)) than this node's (\(present))")
        }
        return try await start(spec, from: state)
    }

    /// What of a ``MachineShape`` is this host's.
    func shapeOfHost() async throws -> (qemu: String, processor: String) {
        (try await versions().qemu, accelerator.kind == .kvm ? HostProcessor.description : "")
    }

    func rejected(_ error: any Error, _ said: String) -> CarpelError {
        CarpelError(
            .failedPrecondition, "machineStateRejected",
            "QEMU does not go on from the saved state: \((error as? CarpelError)?.message ?? "\(error)")"
                + (said.isEmpty ? "" : "\nQEMU said:\n\(said)"))
    }
}
