import ArgumentParser
import Foundation
import GraftSystem

/// The command `graft`: transfer learning from a terminal.
@main
struct GraftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graft",
        abstract: "Fits a pretrained network to your own pictures.",
        discussion: """
            Start with:
              graft train photos
              graft predict photos.keras one.jpg

            Exit codes: 0 done, 1 a failure that is explained, 64 wrong usage, 130 interrupted.
            """,
        version: "0.1.0",
        subcommands: [
            Train.self, Evaluate.self, Predict.self, Report.self, Clean.self, Audit.self, Preview.self, Split.self,
            Features.self, Tokenize.self, Summary.self,
            Export.self,
            FindLearningRate.self, Bases.self, Fetch.self, Sample.self, Doctor.self, Distill.self, SearchVerb.self,
            ServeVerb.self, StudioVerb.self,
        ])

    /// Runs the verb that the arguments name; a verb that is not there is told apart from its arguments.
    static func main() {
        do {
            if let mistake = UnknownVerb(Array(CommandLine.arguments.dropFirst())) {
                throw ValidationError(mistake.message)
            }
            var command = try parseAsRoot()
            try command.run()
        } catch {
            guard exitCode(for: error) != .success else { exit(withError: error) }
            tell(fullMessage(for: error))
            Foundation.exit(exitCode(for: error).rawValue)
        }
    }

    /// Says what is wrong with the arguments, which a shell may have made of the names of others' files.
    private static func tell(_ message: String) {
        guard !message.isEmpty else { return }
        // A line break in a name must not begin a line.
        let message = CommandLine.arguments.reduce(message) { $1.isEmpty ? $0 : $0.replacing($1, with: $1.printable) }
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }
        try? FileHandle.standardError.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
    }
}
