import ArgumentParser

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Prints a completion script for your shell.",
        discussion: """
            Examples:
              carpel completion bash > /etc/bash_completion.d/carpel
              carpel completion zsh > ~/.zsh/completion/_carpel
              carpel completion fish > ~/.config/fish/completions/carpel.fish
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    @Argument(help: "The shell.")
    var shell: Shell

    func run() {
        Console.out(CarpelCommand.completionScript(for: completionShell) + "\n")
    }

    private var completionShell: CompletionShell {
        switch shell {
        case .bash: .bash
        case .zsh: .zsh
        case .fish: .fish
        }
    }
}
