import CarpelGuestProtocol

/// The agent's ends of the pipes of a process without a terminal.
struct ProcessPipes {
    /// Nil if the process reads /dev/null.
    let input: Descriptor?
    let output: Descriptor
    let error: Descriptor

    /// - Returns: The pipes, and the process's ends of them: stdin, stdout, stderr.
    ///   The latter must not outlive the start, or the agent would keep its own pipes from ending.
    static func make(stdin: Bool) throws(GuestFailure) -> (pipes: ProcessPipes, inside: [Descriptor]) {
        let output = try makePipe()
        let error = try makePipe()
        let input = stdin ? try makePipe() : nil
        let reading = if let input { input.reading } else { try openNull() }
        return (
            ProcessPipes(input: input?.writing, output: output.reading, error: error.reading),
            [reading, output.writing, error.writing]
        )
    }
}
