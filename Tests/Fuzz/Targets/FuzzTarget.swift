/// A part of Carpel that reads what a stranger wrote, as a function of any bytes.
///
/// `hack/fuzz` looks for bytes at which it traps, hangs, grows or breaks a rule; as a test it runs over its seeds.
struct FuzzTarget: Sendable {
    let name: String
    /// Bytes of an input.
    let maximumLength: Int
    /// Real examples, from which inputs are made.
    let seeds: @Sendable () throws -> [[UInt8]]
    /// - Throws: ``Finding``. What the code under test throws in the face of bad input is no finding.
    let run: @Sendable ([UInt8]) throws -> Void

    static let all: [FuzzTarget] = [
        .lines, .requests, .streamFrames,
        .guestFrames, .guestMessages, .guestChannel, .guestOutput,
        .pluginAnswers, .pluginManifests, .hostLines,
        .imageNames, .imageDocuments, .layers, .imageArchives,
    ]
}

/// A rule of the code under test that an input breaks.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
        guard condition else { throw Finding(rule()) }
    }
}
