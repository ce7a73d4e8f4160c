/// Why the agent could not do what it was asked.
public struct GuestFailure: Error, Codable, Sendable, Equatable {
    public enum Reason: String, Codable, Sendable {
        case alreadyExists, notFound, invalidState, invalidArgument
        case commandNotFound, commandNotExecutable, userNotFound, groupNotFound, workingDirectoryInvalid
        case diskMissing, mountFailed, cgroupFailed, sysctlFailed, noSpace, outOfMemory
        /// Somebody still uses it.
        case busy
        case connectionRefused, connectionReset
        /// More memory is used, and cannot be taken back, than the new limit allows.
        case memoryInUse
        /// A request of a newer host that this agent does not know.
        case unknownRequest
        case system

        /// A reason of a newer agent reads as `system`.
        public init(from decoder: any Decoder) throws {
            self = Reason(rawValue: try decoder.singleValueContainer().decode(String.self)) ?? .system
        }
    }
    public var reason: Reason
    /// The step that failed and on what, for people.
    public var message: String
    /// 0 if no system call failed.
    public var errno: Int32

    public init(_ reason: Reason, _ message: String, errno: Int32 = 0) {
        self.reason = reason
        self.message = message
        self.errno = errno
    }
}
