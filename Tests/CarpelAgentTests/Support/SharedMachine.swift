import Testing

/// Boots one configured machine for all tests of a suite, and ends it behind the last.
struct SharedMachine: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let machine = try await TestMachine.boot()
        do {
            try await machine.guest.call(.configure(TestMachine.configuration()))
            try await TestMachine.$shared.withValue(machine) { try await function() }
        } catch {
            try await machine.end()
            throw error
        }
        try await machine.end()
    }
}

extension Trait where Self == SharedMachine {
    static var sharedMachine: SharedMachine { SharedMachine() }
}
