import CarpelPluginSDK

/// Why a CNI plugin did not do what it was told.
struct CNIFailure: Error, Sendable, Equatable {
    enum Cause: Sendable, Equatable {
        /// It said why: CNI's error with its code, `msg` and `details`.
        case refused(code: Int, message: String, details: String)
        /// It ended without saying why; with what it wrote.
        case ended(String)
        /// It said that all went well, and something that is not what the verb answers.
        case unintelligible(String)
        case timedOut(seconds: Int)
        case notFound(folders: [String])
        case notExecutable(String)
        /// It does not speak the version that is needed.
        case versionUnsupported(wanted: [CNIVersion], supported: [CNIVersion])
    }

    /// The type in the chain.
    let plugin: String
    let verb: CNIVerb
    let network: String
    let cause: Cause

    /// DEL of what the plugin does not know is done.
    var isUnknownContainer: Bool {
        if case .refused(3, _, _) = cause { return true }
        return false
    }
}

extension CNIFailure {
    var pluginError: PluginError {
        PluginError(code, reason, "network \"\(network)\": \(plugin) \(verb.rawValue): \(account)")
    }

    /// What ADD has failed with: most plugins have one code for everything, but their words tell more.
    func pluginError(for request: NetworkAddRequest) -> PluginError {
        let error = pluginError
        guard case .refused(let code, let message, let details) = cause, code >= 100 else { return error }
        let words = message + details
        if words.contains("no IP addresses available") {
            return PluginError(.resourceExhausted, "addressPoolEmpty", error.message)
        }
        // What is asked for is valid; if it is named, it cannot be had.
        if request.addresses.contains(where: { words.contains($0) }) {
            return PluginError(.failedPrecondition, "addressUnavailable", error.message)
        }
        return error
    }

    private var code: PluginError.Code {
        switch cause {
        // The well-known codes of CNI's specification.
        case .refused(1, _, _), .refused(2, _, _), .refused(7, _, _): .failedPrecondition
        case .refused(3, _, _): .notFound
        case .refused(4, _, _), .refused(6, _, _): .invalidArgument
        case .refused(11, _, _), .refused(50, _, _), .refused(51, _, _): .unavailable
        case .refused, .ended, .unintelligible: .internal
        case .timedOut: .deadlineExceeded
        case .notFound, .notExecutable, .versionUnsupported: .failedPrecondition
        }
    }

    private var reason: String {
        switch cause {
        case .refused(1, _, _), .versionUnsupported: "cniVersionUnsupported"
        case .refused(7, _, _), .refused(2, _, _): "networkConfigurationInvalid"
        case .refused(11, _, _): "cniTryAgain"
        case .refused(50, _, _), .refused(51, _, _): "cniPluginUnavailable"
        case .refused, .ended: "cniPluginFailed"
        case .unintelligible: "cniAnswerMalformed"
        case .timedOut: "cniPluginTimedOut"
        case .notFound: "cniPluginMissing"
        case .notExecutable: "cniPluginNotExecutable"
        }
    }

    private var account: String {
        switch cause {
        case .refused(let code, let message, let details):
            "\(message)\(details.isEmpty ? "" : ": \(details)") (CNI error \(code))"
        case .ended(let account): account
        case .unintelligible(let account): account
        case .timedOut(let seconds): "no answer in \(seconds) s: it has been killed"
        case .notFound(let folders): "there is no such executable in \(folders.joined(separator: ", "))"
        case .notExecutable(let account): account
        case .versionUnsupported(let wanted, let supported):
            "it speaks CNI \(supported.list); the network wants \(wanted.list)"
        }
    }
}

/// CNI's verbs.
enum CNIVerb: String, Sendable {
    case add = "ADD"
    case delete = "DEL"
    case check = "CHECK"
    case collectGarbage = "GC"
    case status = "STATUS"
    case version = "VERSION"
}
