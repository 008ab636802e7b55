import ArgumentParser

/// What `make benchmark` measures of Graft beside the command itself: single parts, and the machine's limits.
///
/// Each part prints one JSON object on standard output: `Benchmarks/suite` reads them.
@main
struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graft-measure",
        abstract: "Time parts of Graft and the machine's limits.",
        subcommands: [
            TrunkCommand.self, HeadCommand.self, FineTuningCommand.self, ConvolutionsCommand.self, MemoryCommand.self,
        ])
}

/// What the parts have in common.
struct CommonOptions: ParsableArguments {
    @Option(help: "How many threads compute; all cores if not given.")
    var threads: Int?

    @Option(help: "Examples in a batch.")
    var batchSize = 20

    @Option(help: "How long to measure, in seconds, after a warm-up.")
    var seconds = 3.0
}
