import CarpelCore
import Foundation
import Testing

@testable import CarpelSeccomp

@Suite struct SeccompProfileTests {
    private static let allow: UInt32 = 0x7FFF_0000

    private func profile(_ json: String) throws -> SeccompProfile {
        try JSONDecoder().decode(SeccompProfile.self, from: Data(json.utf8))
    }

    /// The action for `name` on amd64.
    private func action(
        _ json: String, _ name: String, _ arguments: [UInt64] = [], capabilities: CapabilitySet = []
    ) throws -> UInt32? {
        var target = SeccompTarget(capabilities: capabilities)
        target.architecture = "amd64"
        let simulator = FilterSimulator(try profile(json).compile(for: target))
        return simulator.action(
            architecture: 0xC000_003E, number: try #require(amd64Numbers[name]), arguments: arguments)
    }

    private let amd64Numbers: [String: Int32] = [
        "read": 0, "write": 1, "getpid": 39, "kill": 62, "mkdir": 83, "reboot": 169,
    ]

    @Test func aProfileInOCIsFormIsCompiled() throws {
        let json = """
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "architectures": ["SCMP_ARCH_X86_64"],
             "syscalls": [{"names": ["read", "no_such_syscall"], "action": "SCMP_ACT_ALLOW"},
                          {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
                          {"names": ["kill"], "action": "SCMP_ACT_KILL_PROCESS"},
                          {"names": ["reboot"], "action": "SCMP_ACT_ALLOW"}]}
            """
        #expect(try action(json, "read") == Self.allow)
        #expect(try action(json, "getpid") == 0x0005_000D)
        #expect(try action(json, "mkdir") == 0x0005_001E)
        #expect(try action(json, "kill") == 0x8000_0000)
    }

    @Test func whatIsNewerThanAProfileThatRefusesIsAbsent() throws {
        let json =
            #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "getpid"], "action": "SCMP_ACT_ALLOW"}]}"#
        #expect(try action(json, "write") == 0x0005_0001)
        #expect(try action(json, "reboot") == 0x0005_0026)
        let permissive =
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG"}]}"#
        #expect(try action(permissive, "reboot") == Self.allow)
        #expect(try action(permissive, "read") == 0x7FFC_0000)
    }

    @Test func aRuleOfDockersCountsWhereItsConditionsHold() throws {
        func json(_ condition: String) -> String {
            """
            {"defaultAction": "SCMP_ACT_ERRNO",
             "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
             "syscalls": [{"name": "reboot", "action": "SCMP_ACT_ALLOW", \(condition)}]}
            """
        }
        let counts = [
            #""includes": {"caps": ["CAP_SYS_BOOT"]}"#, #""includes": {"arches": ["amd64", "x32"]}"#,
            #""includes": {"minKernel": "4.8"}, "excludes": {}"#, #""excludes": {"caps": ["CAP_SYS_ADMIN"]}"#,
        ]
        let boot = CapabilitySet(named: "SYS_BOOT") ?? []
        for condition in counts {
            #expect(try action(json(condition), "reboot", capabilities: boot) == Self.allow, "\(condition)")
        }
        let doesNot = [
            #""includes": {"caps": ["CAP_SYS_BOOT", "CAP_SYS_ADMIN"]}"#, #""includes": {"arches": ["s390x"]}"#,
            #""includes": {"minKernel": "99.0"}"#, #""excludes": {"caps": ["CAP_SYS_BOOT"]}"#,
            #""excludes": {"arches": ["amd64"]}"#, #""excludes": {"minKernel": "4.8"}"#,
            #""includes": {"caps": ["CAP_OF_THE_FUTURE"]}"#,
        ]
        for condition in doesNot {
            #expect(try action(json(condition), "reboot", capabilities: boot) == 0x0005_0001, "\(condition)")
        }
    }

    @Test(arguments: [
        ("SCMP_CMP_EQ", UInt64(5), UInt64(5), true), ("SCMP_CMP_EQ", 5, 6, false), ("SCMP_CMP_NE", 5, 6, true),
        ("SCMP_CMP_LT", 5, 4, true), ("SCMP_CMP_LT", 5, 5, false), ("SCMP_CMP_LE", 5, 5, true),
        ("SCMP_CMP_GE", 5, 4, false), ("SCMP_CMP_GT", 5, 6, true), ("SCMP_CMP_EQ", .max, .max, true),
        ("SCMP_CMP_MASKED_EQ", 0xF0, 0x0F, true), ("SCMP_CMP_MASKED_EQ", 0xF0, 0x1F, false),
    ])
    func argumentsAreCompared(comparison: String, value: UInt64, argument: UInt64, matches: Bool) throws {
        let json = """
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kill"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 1, "value": \(value), "valueTwo": 0, "op": "\(comparison)"}]}]}
            """
        #expect(try action(json, "kill", [0, argument]) == (matches ? 0x0005_0001 : Self.allow))
    }

    /// As runc has it: two conditions on one argument are alternatives, on two they hold together.
    @Test func conditionsOnOneArgumentAreAlternatives() throws {
        func json(_ second: Int) -> String {
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["kill"], "action": "SCMP_ACT_ALLOW",
             "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": \(second), "value": 2, "op": "SCMP_CMP_EQ"}]}]}
            """
        }
        #expect(try action(json(0), "kill", [2, 0]) == Self.allow)
        #expect(try action(json(1), "kill", [1, 2]) == Self.allow)
        #expect(try action(json(1), "kill", [1, 3]) == 0x0005_0001)
    }

    @Test(arguments: [
        (#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#, "seccompFeatureUnsupported"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}"#, "seccompFeatureUnsupported"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86"]}"#, "seccompProfileInvalid"),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000}"#, "seccompProfileInvalid"),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_TRAP", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#,
            "seccompProfileInvalid"
        ),
    ])
    func whatCannotBeCompiledIsRefused(json: String, reason: String) throws {
        let profile = try profile(json)
        let error = #expect(throws: CarpelError.self) {
            try profile.compile(for: SeccompTarget(capabilities: []))
        }
        #expect(error?.reason == reason)
    }

    @Test func flagsThatChangeNothingAreAccepted() throws {
        let json =
            #"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]}"#
        #expect(try action(json, "read") == Self.allow)
    }
}
