import ArgumentParser
import Foundation
import Testing

@testable import CarpelCLI

@Suite struct CompletionTests {
    /// What bash offers for the last of `words`.
    private func completions(of words: String...) throws -> [String] {
        let script = """
            eval "$1"; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
            COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMPREPLY=()
            _carpel carpel "${@: -1}" "${@: -2:1}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, "bash", CarpelCommand.completionScript(for: .bash)] + words
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test func bashCompletesCommandsOptionsAndValues() throws {
        #expect(try completions(of: "carpel", "debug", "tr") == ["trace"])
        #expect(Set(try completions(of: "carpel", "api", "")).isSuperset(of: ["call", "schema"]))
        #expect(try completions(of: "carpel", "debug", "bundle", "--ou") == ["--output"])
        #expect(try completions(of: "carpel", "inspect", "-o", "y") == ["yaml"])
    }

    @Test(arguments: [CompletionShell.zsh, .fish]) func otherShellsGetEveryCommand(_ shell: CompletionShell) {
        let script = CarpelCommand.completionScript(for: shell)
        for word in ["debug", "bundle", "trace", "schema", "completion"] { #expect(script.contains(word)) }
    }
}
