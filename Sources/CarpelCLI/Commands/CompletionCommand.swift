import ArgumentParser

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Prints a completion script for your shell.",
        discussion: """
            Where a pod or container is to be named, the script asks the daemon for those that there are, for a second \
            at the most; without a daemon it offers none.

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
