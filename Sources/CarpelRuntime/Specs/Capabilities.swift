import CarpelAPI
import CarpelSeccomp

extension CapabilitySet {
    /// A container's capabilities.
    ///
    /// `ALL` is applied first, added before dropped, so that `add ALL, drop CHOWN` and `drop ALL, add CHOWN`
    /// both mean what they say. Source: containerd, WithCapabilities.
    init(of context: LinuxContainerSecurityContext?) {
        var set = context?.privileged == true ? Self.all : .containerDefault
        if let capabilities = context?.capabilities, context?.privileged != true {
            if capabilities.addCapabilities.contains(where: Self.isAll) { set = .all }
            if capabilities.dropCapabilities.contains(where: Self.isAll) { set = [] }
            set.formUnion(CapabilitySet(capabilities.addCapabilities.compactMap(CapabilitySet.init(named:))))
            set.subtract(CapabilitySet(capabilities.dropCapabilities.compactMap(CapabilitySet.init(named:))))
        }
        self = set
    }
}
