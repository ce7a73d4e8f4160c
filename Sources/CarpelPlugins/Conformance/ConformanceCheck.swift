import Foundation

/// One thing that every plugin of a kind must do.
struct ConformanceCheck<Subject: Sendable>: Sendable {
    /// A stable word: `add-again`.
    let name: String
    /// What is right, as a sentence.
    let claim: String
    let body: @Sendable (Subject) async throws -> CheckNote?

    init(_ name: String, _ claim: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
        self.name = name
        self.claim = claim
        self.body = { subject in
            try await body(subject)
            return nil
        }
    }

    /// A check that has something to tell although it passed.
    init(noting name: String, _ claim: String, _ body: @escaping @Sendable (Subject) async throws -> CheckNote?) {
        self.name = name
        self.claim = claim
        self.body = body
    }
}

/// How one check has ended.
public struct CheckResult: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable {
        case passed, failed, skipped
    }

    /// A stable word: `add-again`.
    public let name: String
    /// What is right, as a sentence.
    public let claim: String
    public let outcome: Outcome
    /// What went wrong, why the check was skipped, or what else there is to tell.
    public let detail: String
    public let durationNanoseconds: Int64
}

/// What a check that passed has to tell.
struct CheckNote: Sendable {
    let text: String
}

/// What the plugin has done wrong.
struct CheckFailure: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// Why a check says nothing about this plugin.
struct CheckSkipped: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

func expect(_ condition: Bool, _ failure: @autoclosure () -> String) throws {
    if !condition { throw CheckFailure(failure()) }
}
