import CarpelGuestProtocol

extension Agent {
    func create(_ spec: ContainerSpec, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        do throws(GuestFailure) {
            try checkCanCreate(spec)
        } catch {
            return done(.failure(error))
        }
        creating.insert(spec.id)
        let serials = spec.allLayers
        devices.wait(until: { BlockDevices.missing(serials) }) { [unowned self] missing in
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
            let devices = try BlockDevices.find(serials: spec.allLayers)
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
        _ wanted: ContainerSpec, cgroup: Cgroup, devices: [String: String]
    ) throws(GuestFailure) {
        var spec = wanted
        spec.devices = []
        for device in wanted.devices { spec.devices.append(try withNumber(device)) }
        let images = try mountImages(of: spec, devices: devices)
        do throws(GuestFailure) {
            for mount in spec.mounts { try check(mount, images) }
            try finish(spec, cgroup: cgroup, devices: devices, images: images)
        } catch {
            for image in images.keys { self.images.release(image, pool: layers) }
            throw error
        }
    }

    /// A block volume's device gets the number of its disk.
    private func withNumber(_ device: ContainerSpec.Device) throws(GuestFailure) -> ContainerSpec.Device {
        guard let name = device.volume else { return device }
        guard let volume = volumes[name], volume.isReady, volume.isBlock, let disk = volume.device,
            let (major, minor) = BlockDevices.number(of: disk)
        else { throw GuestFailure(.notFound, "there is no block volume \(name)") }
        var found = device
        (found.kind, found.major, found.minor) = (.block, major, minor)
        if volume.volume.readOnly { found.access.removeAll { $0 == "w" } }
        return found
    }

    private func mountImages(
        of spec: ContainerSpec, devices: [String: String]
    ) throws(GuestFailure) -> [[String]: String] {
        var paths: [[String]: String] = [:]
        do throws(GuestFailure) {
            for image in spec.mountedImages {
                paths[image] = try images.use(image, devices: devices, pool: layers)
            }
            return paths
        } catch {
            for image in paths.keys { images.release(image, pool: layers) }
            throw error
        }
    }

    private func check(_ mount: ContainerSpec.Mount, _ images: [[String]: String]) throws(GuestFailure) {
        guard mount.destination.hasPrefix("/") else {
            throw GuestFailure(.invalidArgument, "\(mount.destination) is not an absolute path")
        }
        if case .shared = mount.source, configuration?.sharedFolder == nil {
            throw GuestFailure(.invalidState, "the machine shares no folder with the host")
        }
        _ = try source(of: mount, images: images)
    }

    private func finish(
        _ spec: ContainerSpec, cgroup: Cgroup, devices: [String: String], images: [[String]: String]
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
            spec: spec, cgroup: cgroup, root: root, images: images,
            output: ContainerOutput(isHostConnected: isHostConnected))
    }
}

extension ContainerSpec {
    /// Of its root and of the images that are mounted in it.
    fileprivate var allLayers: [String] { Array(Set(layers).union(mountedImages.joined())).sorted() }
}
