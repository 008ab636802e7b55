import ArgumentParser

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
            Train.self, Evaluate.self, Predict.self, Audit.self, Preview.self, Split.self, Features.self, Summary.self,
            FindLearningRate.self, Bases.self, Fetch.self, Sample.self, Doctor.self, Distill.self,
        ])

    /// Runs the verb that the arguments name; a verb that is not there is told apart from its arguments.
    static func main() {
        if let mistake = UnknownVerb(Array(CommandLine.arguments.dropFirst())) {
            exit(withError: ValidationError(mistake.message))
        }
        main(nil)
    }
}
