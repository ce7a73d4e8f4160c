import CarpelCore

/// What the protocol's description says of a method.
public struct MethodDescription: Sendable {
    /// A call and what comes of it on a node where the examples before it have been called.
    public struct Example: Sendable {
        public enum Outcome: Sendable {
            /// At least these members.
            case result(JSONValue)
            /// A refusal with this reason.
            case refusal(Reason)
        }
        public let name: String
        /// By the parameters' names; those that have their default are left out.
        public let params: JSONValue
        public let outcome: Outcome
    }

    public let name: String
    public let role: Role
    public let summary: String
    public let request: any ProtoMessage.Type
    public let response: any ProtoMessage.Type
    /// What a subscription's notifications carry, for a method that has one.
    public let item: (any ProtoMessage.Type)?
    /// For who knows the method's name alone.
    public let untypedStream: StreamMethod<UntypedMessage, UntypedMessage>?
    /// The parameters without which the method does nothing.
    public let required: [String]
    /// Why the method may fail, beside what every method can answer.
    public let reasons: [Reason]
    public let example: Example

    init<Request, Response>(
        _ method: Method<Request, Response>, _ summary: String, required: [String] = [], reasons: [Reason] = [],
        example: Request = Request(), result: Response
    ) {
        self.init(
            method.name, method.role, summary, Request.self, Response.self, nil, required, reasons,
            Example(method.name, example, .result(.sparse(result))))
    }

    init<Request, Response>(
        _ method: Method<Request, Response>, _ summary: String, required: [String] = [], reasons: [Reason] = [],
        example: Request = Request(), refusedAs reason: Reason
    ) {
        self.init(
            method.name, method.role, summary, Request.self, Response.self, nil, required, reasons + [reason],
            Example(method.name, example, .refusal(reason)))
    }

    init<Request, Item>(
        _ method: StreamMethod<Request, Item>, _ summary: String, required: [String] = [], reasons: [Reason] = [],
        example: Request = Request(), subscription: String
    ) {
        self.init(
            method.name, method.role, summary, Request.self, SubscriptionResponse.self, Item.self, required, reasons,
            Example(
                method.name, example, .result(.sparse(SubscriptionResponse { $0.subscription = subscription }))))
    }

    private init(
        _ name: String, _ role: Role, _ summary: String, _ request: any ProtoMessage.Type,
        _ response: any ProtoMessage.Type, _ item: (any ProtoMessage.Type)?, _ required: [String], _ reasons: [Reason],
        _ example: Example
    ) {
        self.name = name
        self.role = role
        self.summary = summary
        self.request = request
        self.response = response
        self.item = item
        untypedStream = item == nil ? nil : StreamMethod(name, role)
        self.required = required
        self.reasons = reasons
        self.example = example
    }

    /// Every method of the socket, in the order in which their examples work.
    public static let all =
        node + images + plugins + volumes + pods + networks + containers + streams + observations + changes + ends
}

extension MethodDescription.Example {
    fileprivate init(_ method: String, _ request: some ProtoMessage, _ outcome: Outcome) {
        self.init(name: "\(method)Example", params: .sparse(request), outcome: outcome)
    }
}

/// Why a method failed: the stable word of an error's `data.reason`, and what stands beside it.
public struct Reason: Sendable, Hashable {
    public let word: String
    public let code: CarpelError.Code
    public let meaning: String

    init(_ word: String, _ code: CarpelError.Code, _ meaning: String) {
        self.word = word
        self.code = code
        self.meaning = meaning
    }

    static let agentSilent = Reason("agentSilent", .deadlineExceeded, "The pod's machine did not answer in time.")
    static let checkpointDamaged = Reason(
        "checkpointDamaged", .failedPrecondition, "The folder holds no whole checkpoint.")
    static let checkpointFolderNotEmpty = Reason(
        "checkpointFolderNotEmpty", .failedPrecondition, "The folder for a new checkpoint holds something.")
    static let checkpointMismatch = Reason(
        "checkpointMismatch", .failedPrecondition,
        "The pod or a container is to be another than the one that was saved.")
    static let checkpointOfOtherNode = Reason(
        "checkpointOfOtherNode", .failedPrecondition, "The checkpoint was made by another Carpel, kernel or initramfs.")
    static let commandNotFound = Reason("commandNotFound", .invalidArgument, "The command is not in the container.")
    static let containerCheckpointUnsupported = Reason(
        "containerCheckpointUnsupported", .unimplemented, "A container cannot be saved apart from its pod.")
    static let containerNameTaken = Reason(
        "containerNameTaken", .alreadyExists, "The pod has a container of this name with another content.")
    static let containerNotCreated = Reason(
        "containerNotCreated", .failedPrecondition, "Only a container that was just created can be started.")
    static let containerNotFound = Reason("containerNotFound", .notFound, "No container has this id.")
    static let containerNotRunning = Reason(
        "containerNotRunning", .failedPrecondition, "The container's process does not run.")
    static let containersIncomplete = Reason(
        "containersIncomplete", .failedPrecondition, "A container that runs was not named.")
    static let fileExists = Reason("fileExists", .alreadyExists, "There is a file at this path.")
    static let fileNotFound = Reason("fileNotFound", .notFound, "There is no file at this path.")
    static let hostPathsNotSaved = Reason(
        "hostPathsNotSaved", .failedPrecondition, "A container has files of the node mounted.")
    static let imageInUse = Reason("imageInUse", .failedPrecondition, "A container stands on the image.")
    static let imageNotFound = Reason("imageNotFound", .notFound, "The image is not on this node.")
    static let imagesMissing = Reason(
        "imagesMissing", .failedPrecondition, "The checkpoint needs images that are not on this node.")
    static let machineEnded = Reason("machineEnded", .unavailable, "The pod's machine ended.")
    static let networkDisabled = Reason("networkDisabled", .failedPrecondition, "No plugin serves this network.")
    static let noSpace = Reason("noSpace", .resourceExhausted, "The node's disk is full.")
    static let pluginNotFound = Reason("pluginNotFound", .notFound, "No plugin has this name.")
    static let pluginVolumesNotSaved = Reason(
        "pluginVolumesNotSaved", .failedPrecondition, "The pod has volumes of storage plugins.")
    static let podNameTaken = Reason(
        "podNameTaken", .alreadyExists,
        "A pod has this name, namespace, uid and attempt, with another content or stopped.")
    static let podNotFound = Reason("podNotFound", .notFound, "No pod has this id.")
    static let podNotReady = Reason("podNotReady", .failedPrecondition, "The pod's machine does not run.")
    static let registryDenied = Reason("registryDenied", .unauthenticated, "The registry wants other credentials.")
    static let registryUnavailable = Reason("registryUnavailable", .unavailable, "The registry does not answer.")
    static let revisionGone = Reason(
        "revisionGone", .outOfRange, "What came after the revision is not kept any more; watch from 0 again.")
    static let runtimeHandlerUnknown = Reason(
        "runtimeHandlerUnknown", .invalidArgument, "The only runtime handler is \"carpel\".")
    static let snapshotNotFound = Reason("snapshotNotFound", .notFound, "No snapshot has this id or name.")
    static let streamNotFound = Reason("streamNotFound", .notFound, "The url was opened before, or is too old.")
    static let volumeInUse = Reason("volumeInUse", .failedPrecondition, "A pod has the volume.")
    static let volumeNotFound = Reason("volumeNotFound", .notFound, "No volume has this id or name.")
}
