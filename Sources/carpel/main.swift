import CarpelCLI
import Foundation

exit(await EntryPoint.run(arguments: Array(CommandLine.arguments.dropFirst())))
