import CarpelGuestProtocol

extension Agent {
    func create(_ spec: ContainerSpec, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        do throws(GuestFailure) {
            try checkCanCreate(spec)
        } catch {
            return done(.failure(error))
        }
        creating.insert(spec.id)
        devices.wait(until: { BlockDevices.missing(spec.layers) }) { [unowned self] missing in
            creating.remove(spec.id)
            done(missing.map { .failure($0) } ?? make(spec))
        }
    }

    private func checkCanCreate(_ spec: ContainerSpec) throws(GuestFailure) {
        guard configuration != nil else {
            throw GuestFailure(.invalidState, "the machine has not been configured yet")
        }
        // It becomes the name of directories.
        let letters = spec.id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
        guard letters, (1...128).contains(spec.id.utf8.count), !spec.id.hasPrefix(".") else {
            throw GuestFailure(.invalidArgument, "\(spec.id) is not a container id")
        }
        guard containers[spec.id] == nil, !creating.contains(spec.id) else {
            throw GuestFailure(.alreadyExists, "container \(spec.id) exists")
        }
    }

    private func make(_ spec: ContainerSpec) -> Result<Void, GuestFailure> {
        do throws(GuestFailure) {
            let devices = try BlockDevices.find(serials: spec.layers)
            let cgroup = try Cgroup.make(spec.id)
            do throws(GuestFailure) {
                try prepare(spec, cgroup: cgroup, devices: devices)
                return .success(())
            } catch {
                try? cgroup.remove()
                throw error
            }
        } catch {
            return .failure(error)
        }
    }

    private func prepare(
        _ spec: ContainerSpec, cgroup: Cgroup, devices: [String: String]
    ) throws(GuestFailure) {
        try cgroup.apply(spec.resources)
        if !spec.privileged {
            let rules = spec.devices.map {
                DeviceFilter.Rule(kind: $0.kind, major: $0.major, minor: $0.minor, access: $0.access)
            }
            try DeviceFilter(DeviceFilter.standard + rules).attach(to: cgroup)
        }
        let root = try RootFileSystem.mount(spec.id, layers: spec.layers, devices: devices, pool: layers)
        containers[spec.id] = Container(
            spec: spec, cgroup: cgroup, root: root, output: ContainerOutput(isHostConnected: isHostConnected))
    }
}
