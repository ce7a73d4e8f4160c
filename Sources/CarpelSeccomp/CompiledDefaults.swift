import Synchronization

/// The default profile's programs by the capabilities that they were compiled for.
///
/// libseccomp takes 6 to 9 ms for one, and most containers of a node have the same capabilities.
package enum CompiledDefaults {
    /// Of about 7 KB each. Requests choose the capabilities, so that there must be a bound.
    private static let mostPrograms = 32
    private static let programs = Mutex<[CapabilitySet: [UInt8]]>([:])

    package static func program(for capabilities: CapabilitySet) throws -> [UInt8] {
        if let known = programs.withLock({ $0[capabilities] }) { return known }
        let program = try SeccompProfile.containerDefault.compile(for: SeccompTarget(capabilities: capabilities))
        programs.withLock {
            if $0.count >= mostPrograms { $0 = [:] }
            $0[capabilities] = program
        }
        return program
    }
}
