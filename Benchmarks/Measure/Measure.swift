import ArgumentParser
import Graft
import GraftCPU

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
            FewExamplesCommand.self, ImagesCommand.self,
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

    @Option(
        help: ArgumentHelp(
            "Fast paths that are switched off, separated by commas, to measure what each buys.",
            valueName: "names"),
        transform: { $0.split(separator: ",").map(String.init) })
    var without: [String] = []

    func validate() throws {
        let unknown = without.filter { !CPUOptions.fastPathNames.contains($0) }
        guard unknown.isEmpty else {
            let known = CPUOptions.fastPathNames.sorted().joined(separator: ", ")
            throw ValidationError("There is no fast path \(unknown.joined(separator: ", ")); there are \(known).")
        }
    }

    /// How training and prediction run.
    func options(
        features: FeatureCache = .standard, precision name: String = "float32"
    ) throws -> TrainingOptions {
        var options = try TrainingOptions(features: features, threads: threads).computing(in: name)
        // A precision that the processor lacks is refused as without a backend of ours.
        guard !without.isEmpty, let precision = ElementType(rawValue: name) else { return options }
        var cpu = CPUOptions(threads: threads, precision: precision)
        cpu.disabledFastPaths = Set(without)
        options.backend = CPUBackend(options: cpu)
        return options
    }
}
