import ArgumentParser
import Foundation
import Graft

/// `graft search`
struct SearchVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the base, the cut and the head that suit some images, within a time.",
        discussion: """
            IMAGES is what graft train takes: folders of classes, or a table. Every base at hand runs once over the training \
            images, all its cuts are judged by ridge regressions and nearest neighbours in closed form, heads are trained on \
            the best of them, and the best head is trained on all training images and written:
              graft search photos --minutes 10 --output best.keras

            Bases are those that are part of Graft or downloaded (graft bases), or the ones that are named, with weights where \
            they have a file:
              graft search photos --base pocket --base inception-v3=weights.h5 --input-size 150

            Accuracies are those of k folds: each image is judged by a fit that saw neither it nor an image that looks like it. \
            The best of many promises more than it keeps; by how much is said. Images of parts for validation and test take \
            no part, and say at the end what the model is worth.

            The time holds the final training. Ctrl-C gives the best so far, from the moment that the first base is judged; a \
            model is written then, and again at the end. The same command goes on where another one ended: features are \
            kept in the cache, and trials in MODEL.search.jsonl.

            Beside the model stand MODEL.search.svg, accuracy against size and time, and the command that trains it again.

            Images with several labels each and numbers are refused: graft train learns those.
            """)

    @Argument(help: "The folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var images: String

    @Option(help: ArgumentHelp("The time in minutes, the final training included.", valueName: "N"))
    var minutes: Double?

    @Option(
        help: ArgumentHelp(
            "Instead of a time, how many heads are trained and judged: the same seed and machine then give the same choice.",
            valueName: "N"))
    var trials: Int?

    @Option(
        help: ArgumentHelp(
            "A base to try, with the file of its weights where it has one; may be given several times. (default: those at hand)",
            valueName: "name[=weights]"))
    var base: [String] = []

    @OptionGroup(title: "Images") var imageOptions: ImageArguments

    @Option(help: ArgumentHelp("How many folds the images are divided into.", valueName: "N"))
    var folds = 5

    @Option(
        help: ArgumentHelp(
            "Images with the same text in the one capture of this regular expression on their paths stay in one fold.",
            valueName: "pattern"))
    var groupBy: String?

    @Option(
        help: ArgumentHelp(
            "How many images are judged on; of more, a sample. The model is trained on all.", valueName: "N"))
    var sample = 2000

    @Option(
        help: ArgumentHelp(
            "Passes over the images of each head. (default: by the number of images, 10 to 100)", valueName: "N"))
    var epochs: Int?

    @Option(help: ArgumentHelp("Decides folds, initial weights and the order of images.", valueName: "N"))
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "Where the networks' features are kept for later runs: a folder, or 'temporary'; the user's cache if not given.",
            valueName: "folder|temporary"))
    var cache: FeatureCacheOption?

    @OptionGroup(title: "Machine") var machine: MachineOptions

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp(
            "Where the model is written. (default: named after the folder, IMAGES.keras, in the current folder)",
            valueName: "file.keras"))
    var output: String?

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try require(minutes == nil || trials == nil, "--trials", trials ?? 0, "either this or --minutes")
        if let minutes {
            try require(minutes > 0 && minutes <= 100_000, "--minutes", minutes, "above 0, at most 100000")
        }
        if let trials { try require((1...1_000_000).contains(trials), "--trials", trials, "1 to 1000000") }
        if let epochs { try require((1...1_000_000).contains(epochs), "--epochs", epochs, "at least 1") }
        try require((2...20).contains(folds), "--folds", folds, "2 to 20")
        try require((20...20_000).contains(sample), "--sample", sample, "20 to 20000")
        if let output {
            try require(output.hasSuffix(".keras"), "--output", "'\(output)'", "a name that ends in .keras")
        }
        for text in base { try asUsage { () throws(GraftError) in _ = try SearchVerb.recipe(text) } }
    }

    /// Where the model is written.
    var modelPath: String { output ?? Train.modelPath(for: images) }

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            try OutputFile.check(modelPath)
            try machine.checkPrecision()
            let interruption = Interruption(
                on: console, saying: "stopping with the best so far; Ctrl-C again ends the program at once")
            let search = try search(interruption)
            let labelled = try LabelledImages(at: images, rule: TrainingRecipe().rule, threads: machine.threads)
            let report = SearchReport(
                model: modelPath, images: images, seconds: trials == nil ? 60 * (minutes ?? 10) : nil, console: console)
            report.tell(labelled, bases: search.bases)
            let result = try naming("--group-by", for: "groups") { () throws(GraftError) in
                do {
                    return try search.run(on: labelled) { try report.tell($0) }
                } catch let error as GraftError {
                    throw error
                } catch {
                    throw GraftError(.state, "the search failed", cause: error)
                }
            }
            try report.finish(result)
            withExtendedLifetime(interruption) {}
            if result.isInterrupted { throw ExitCode(Interruption.exitCode) }
        }
    }

    /// What the options say.
    private func search(_ interruption: Interruption) throws -> Search {
        var features = cache?.cache ?? .standard
        if features.location == .none { features = .temporary }
        let options = machine.trainingOptions(features: features, cancellation: interruption.cancellation)
        let budget = trials.map { SearchBudget.trials($0) } ?? .minutes(minutes ?? 10)
        let bases = base.isEmpty ? nil : try base.map { (text) throws(GraftError) in try Self.recipe(text) }
        var search = Search(bases: bases, budget: budget, options: options)
        for place in search.bases.indices { imageOptions.apply(to: &search.bases[place]) }
        (search.folds, search.groups, search.sampleLimit, search.seed) = (folds, groupBy, sample, seed)
        search.epochs = epochs
        search.journal = modelPath.dropLast(".keras".count) + ".search.jsonl"
        return search
    }

    /// What `--base` says: a base, and the file of its weights.
    static func recipe(_ text: String) throws(GraftError) -> TrainingRecipe {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        var recipe = TrainingRecipe(
            base: try underOption("--base") { () throws(GraftError) in try Base.named(parts.first ?? "") })
        if parts.count == 2 { recipe.weights = Weights(argument: parts[1]) }
        return recipe
    }
}
