import CarpelAPI
import Testing

@testable import CarpelRuntime
@testable import CarpelSeccomp

@Suite struct CapabilityTests {
    private func granted(add: [String] = [], drop: [String] = []) -> CapabilitySet {
        CapabilitySet(
            of: LinuxContainerSecurityContext {
                $0.capabilities = Capability {
                    $0.addCapabilities = add
                    $0.dropCapabilities = drop
                }
            })
    }

    private func named(_ names: String...) -> CapabilitySet {
        CapabilitySet(names.compactMap(CapabilitySet.init(named:)))
    }

    /// /proc/self/status of a Docker or containerd container.
    @Test func theDefaultIsThatOfContainerd() {
        #expect(CapabilitySet(of: nil).rawValue == 0xA804_25FB)
        #expect(granted() == .containerDefault)
    }

    @Test func everythingIsFortyOneCapabilities() {
        #expect(CapabilitySet.all.rawValue == 0x1FF_FFFF_FFFF)
        #expect(CapabilitySet(of: LinuxContainerSecurityContext { $0.privileged = true }) == .all)
    }

    @Test(arguments: ["SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "Cap_Sys_Admin"])
    func aNameIsReadWithAndWithoutPrefixInAnyCase(_ name: String) {
        #expect(CapabilitySet(named: name)?.rawValue == 1 << 21)
    }

    @Test func addedAndDroppedNamesChangeTheDefault() {
        #expect(granted(add: ["NET_ADMIN"]) == CapabilitySet.containerDefault.union(named("NET_ADMIN")))
        #expect(granted(drop: ["CHOWN"]) == CapabilitySet.containerDefault.subtracting(named("CHOWN")))
    }

    @Test func allIsAppliedBeforeTheNames() {
        #expect(granted(drop: ["ALL"]) == [])
        #expect(granted(add: ["all"]) == .all)
        #expect(granted(add: ["NET_BIND_SERVICE"], drop: ["ALL"]) == named("NET_BIND_SERVICE"))
        #expect(granted(add: ["ALL"], drop: ["CHOWN"]) == CapabilitySet.all.subtracting(named("CHOWN")))
        #expect(granted(add: ["ALL"], drop: ["ALL"]) == [])
        #expect(granted(add: ["CHOWN"], drop: ["CHOWN"]) == CapabilitySet.containerDefault.subtracting(named("CHOWN")))
    }
}
