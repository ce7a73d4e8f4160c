import CarpelCore
import Foundation

/// A syscall filter in words: the JSON of the OCI runtime specification (config-linux.md, "Seccomp"), with what Docker's
/// files add to it (`archMap`, `includes`, `excludes`).
package struct SeccompProfile: Sendable, Equatable, Decodable {
    enum Action: String, Sendable, Decodable {
        case kill = "SCMP_ACT_KILL"
        case killThread = "SCMP_ACT_KILL_THREAD"
        case killProcess = "SCMP_ACT_KILL_PROCESS"
        case trap = "SCMP_ACT_TRAP"
        case errno = "SCMP_ACT_ERRNO"
        case trace = "SCMP_ACT_TRACE"
        case log = "SCMP_ACT_LOG"
        case allow = "SCMP_ACT_ALLOW"
        case notify = "SCMP_ACT_NOTIFY"
    }

    enum Comparison: String, Sendable, Decodable {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        /// `argument & value == valueTwo`
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    struct Argument: Sendable, Equatable {
        var index: UInt32
        var value: UInt64
        var valueTwo: UInt64 = 0
        var comparison: Comparison
    }

    /// When a rule counts: Docker's `includes` and `excludes`.
    struct Condition: Sendable, Equatable {
        /// `CAP_SYS_ADMIN`
        var capabilities: [String] = []
        /// Go's names: `amd64`, `arm64`.
        var architectures: [String] = []
        var minKernel: KernelVersion?
    }

    struct Rule: Sendable, Equatable {
        var names: [String]
        var action = Action.allow
        /// EPERM if absent.
        var errno: UInt32?
        var arguments: [Argument] = []
        var includes = Condition()
        var excludes = Condition()
    }

    struct ArchitectureMap: Sendable, Equatable, Decodable {
        var architecture: String
        var subArchitectures: [String]?
    }

    var defaultAction: Action
    /// EPERM if absent.
    var defaultErrno: UInt32?
    /// `SCMP_ARCH_X86_64`, beside the guest's own.
    var architectures: [String] = []
    var architectureMaps: [ArchitectureMap] = []
    var flags: [String] = []
    var rules: [Rule]
}

/// A kernel's version as far as profiles tell it: `4.8`.
struct KernelVersion: Sendable, Equatable, Comparable {
    var major: Int
    var minor: Int

    /// What boots in the machines is this or newer.
    static let guest = KernelVersion(major: 6, minor: 1)

    static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

extension KernelVersion: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let numbers = try container.decode(String.self).split(separator: ".").map { Int($0) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a kernel version such as 4.8")
        }
        self.init(major: major, minor: minor)
    }
}

extension SeccompProfile {
    private enum CodingKeys: String, CodingKey {
        case defaultAction, defaultErrnoRet, architectures, archMap, flags, syscalls
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        defaultAction = try values.decode(Action.self, forKey: .defaultAction)
        defaultErrno = try values.decodeIfPresent(UInt32.self, forKey: .defaultErrnoRet)
        architectures = try values.decodeIfPresent([String].self, forKey: .architectures) ?? []
        architectureMaps = try values.decodeIfPresent([ArchitectureMap].self, forKey: .archMap) ?? []
        flags = try values.decodeIfPresent([String].self, forKey: .flags) ?? []
        rules = try values.decodeIfPresent([Rule].self, forKey: .syscalls) ?? []
    }
}

extension SeccompProfile.Argument: Decodable {
    private enum CodingKeys: String, CodingKey { case index, value, valueTwo, op }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        index = try values.decode(UInt32.self, forKey: .index)
        value = try values.decode(UInt64.self, forKey: .value)
        valueTwo = try values.decodeIfPresent(UInt64.self, forKey: .valueTwo) ?? 0
        comparison = try values.decode(SeccompProfile.Comparison.self, forKey: .op)
    }
}

extension SeccompProfile.Condition: Decodable {
    private enum CodingKeys: String, CodingKey { case caps, arches, minKernel }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        capabilities = try values.decodeIfPresent([String].self, forKey: .caps) ?? []
        architectures = try values.decodeIfPresent([String].self, forKey: .arches) ?? []
        minKernel = try values.decodeIfPresent(KernelVersion.self, forKey: .minKernel)
    }
}

extension SeccompProfile.Rule: Decodable {
    private enum CodingKeys: String, CodingKey { case names, name, action, errnoRet, args, includes, excludes }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        // `name` is how Docker wrote a rule of one syscall before 2017.
        let single = try values.decodeIfPresent(String.self, forKey: .name)
        names = try values.decodeIfPresent([String].self, forKey: .names) ?? single.map { [$0] } ?? []
        action = try values.decode(SeccompProfile.Action.self, forKey: .action)
        errno = try values.decodeIfPresent(UInt32.self, forKey: .errnoRet)
        arguments = try values.decodeIfPresent([SeccompProfile.Argument].self, forKey: .args) ?? []
        includes = try values.decodeIfPresent(SeccompProfile.Condition.self, forKey: .includes) ?? .init()
        excludes = try values.decodeIfPresent(SeccompProfile.Condition.self, forKey: .excludes) ?? .init()
    }
}
