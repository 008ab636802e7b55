import ArgumentParser
import Foundation
import Graft

/// `graft features`
struct Features: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what a network makes of each image or text, as a .npy array.",
        discussion: """
            The array has one row an image, in the order of the paths in the text file beside it (features.npy and \
            features.txt). Images that cannot be read are listed and have no row.

            Of texts, the rows are those of a file with a text a line, of a table's column for texts, or of standard input.

            Examples:
              graft features inception-v3 photos --input-size 150 --cut mixed7 --output features.npy
              graft features minilm reviews.txt --weights minilm/model.safetensors --output embeddings.npy
            """)

    @Argument(help: "A base (see graft bases), or a model in a file: .keras, .h5, .onnx.")
    var network: String

    @Argument(
        help: ArgumentHelp(
            "The folder of images, searched with those inside; a table that names them (.csv, .jsonl), or - for a list on "
                + "standard input."), completion: .file())
    var images: String

    @OptionGroup(title: "Network") var source: BaseArguments

    @OptionGroup(title: "Texts") var texts: TextArguments
    @OptionGroup(title: "Texts") var textBase: TextBaseArguments

    @Flag(help: "Texts: bring each row to length 1, as sentence encoders are used.")
    var unit = false

    @Flag(help: "Keep the classifier that the base was trained with.")
    var top = false

    @Option(
        name: [.long, .customShort("o")], help: ArgumentHelp("Where the array is written.", valueName: "file.npy"))
    var output = "features.npy"

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try require(output.hasSuffix(".npy"), "--output", "'\(output)'", "a name that ends in .npy")
    }

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            try OutputFile.check(output)
            try machine.tellPrecision(on: console)
            if TextBase.isNamed(network) { return try TextFeaturesJob(options: self, console: console).run() }
            let network = NetworkSource(name: network, choice: source.choice, top: top)
            let whole = try network.model(on: console)
            let usualCut = network.isSavedModel || top ? nil : try network.named().defaultCut
            let rule = try imageRule(of: whole)
            let found = try images == "-" || ImageTable.isTable(images) ? ImagePaths([images], rule: rule) : nil
            let files =
                try found.map { try ImageFiles(paths: $0.paths, rule: rule, threads: machine.threads) }
                ?? ImageFiles(below: images, rule: rule, threads: machine.threads)
            console.list(
                (found?.problems.map(\.problem) ?? files.problems).map(\.description), title: "left out")
            try profiling.follow(machine, on: console) { profiler in
                try write(network.cut(whole, at: usualCut), files, profiler, on: console)
            }
        }
    }

    /// The rule in a saved model, or that of the options.
    private func imageRule(of model: Model) throws -> ImageRule {
        var rule = try Classifier.rule(of: model, network)
        source.images.apply(to: &rule)
        return rule
    }

    private func write(
        _ model: Model, _ files: ImageFiles, _ profiler: Profiler?, on console: Console
    ) throws {
        let start = ContinuousClock.now
        let rowShape = try model.output.shape
        let writer = try NumpyWriter(creating: output, rowShape: rowShape)
        let interruption = Interruption(on: console, saying: "stopping; Ctrl-C again ends the program at once")
        var paths: [String] = []
        var failures: [ExampleFailure] = []
        let options = machine.trainingOptions(cancellation: interruption.cancellation, profiler: profiler)
        try model.forEachPrediction(of: files, options: options) { part in
            failures += part.failures
            if !part.indices.isEmpty { try writer.append(part.outputs[0]) }
            paths += part.indices.map { files.paths[$0] }
            let done = paths.count + failures.count
            console.progress(
                ProgressLine("features", Progress(done: done, total: files.count, elapsed: start.secondsAgo)))
        }
        console.closeProgressLine()
        console.list(failures.map(\.description), title: "left out, as they cannot be read")
        guard !paths.isEmpty else {
            throw GraftError(.data, "\(images): none of its \(files.count.of("image")) can be read")
        }
        try writer.finish()
        try writePaths(paths)
        report(rowShape, images: paths.count, failures, seconds: start.secondsAgo, on: console)
    }

    private func report(
        _ rowShape: Shape, images: Int, _ failures: [ExampleFailure], seconds: Double, on console: Console
    ) {
        let rate = ProgressLine.rate(of: images, seconds: seconds).map { ", \($0)" } ?? ""
        console.say("wrote \(output): \(images.of("row")) of \(rowShape)\(rate)")
        var object = JSONObject(event: "done")
        object.add("features", .string(output))
        object.add("images", .int(images))
        object.add("seconds", .number(seconds))
        object.add("left_out", .strings(failures.map(\.path)))
        console.emit(object)
    }

    private func writePaths(_ paths: [String]) throws(GraftError) {
        let path = String(output.dropLast(".npy".count)) + ".txt"
        do {
            try (paths.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw GraftError(.file, "\(path): the list of images cannot be written", cause: error)
        }
    }
}
