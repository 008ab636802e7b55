import ArgumentParser

/// The command `graft`: transfer learning from a terminal.
@main
struct GraftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graft", abstract: "Fits a pretrained network to your own pictures.")
}
