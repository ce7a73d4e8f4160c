import CarpelCore

/// Does `body` for each of `targets`, also after one has failed, and reports each failure.
///
/// - Throws: the first failure, if there was only one target; else an exit code of its kind.
func forEach(_ targets: [String], _ body: (String) async throws -> Void) async throws {
    guard targets.count > 1 else {
        for target in targets { try await body(target) }
        return
    }
    var first: CarpelError?
    for target in targets {
        do {
            try await body(target)
        } catch {
            let error = CarpelError.wrapping(error, during: target)
            Console.complain(error.message)
            first = first ?? error
        }
    }
    if let first { throw AlreadyReported(status: ExitStatus(first).rawValue) }
}

/// A failure of which stderr has been told.
struct AlreadyReported: Error {
    let status: Int32
}
