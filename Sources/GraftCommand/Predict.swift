import ArgumentParser
import Foundation
import Graft

/// `graft predict`
struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say which class each image shows, or each text is of.",
        discussion: """
            Of a folder all images in it and in the folders below are predicted. An image that cannot be read is reported and \
            the others are predicted; the exit code is then 1.

            A model that graft train wrote says where it is not sure, by its probability after calibration, and where an image is \
            unlike anything in its training. --coverage gives the classes that hold the right one in that share of images like \
            those of validation.

            A model that ends without softmax or sigmoid gives scores or features, and they are shown as such.

            A model of texts is asked about --text, about files with a text a line, about tables with a column for texts, or, \
            with -, about the lines of standard input.

            Examples:
              graft predict cats-and-dogs.keras one.jpg two.png --top 1
              graft predict intents.keras --text "my card has not arrived"
              graft predict cats-and-dogs.keras photos --views 8 --augment flip,crop:0.7:1
              graft predict from-keras.keras photos --classes cats,dogs --output-activation softmax
            """)

    @Argument(help: "A model that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var model: String

    @Argument(
        help: "The images, folders of them, tables that name them (.csv, .jsonl), or - for a list on standard input.",
        completion: .file())
    var files: [String] = []

    @Option(help: ArgumentHelp("A text to ask a model of texts about; several times for several.", valueName: "text"))
    var text: [String] = []

    @OptionGroup(title: "Texts") var texts: TextArguments

    @Option(help: ArgumentHelp("How many classes to print, the likeliest first.", valueName: "N"))
    var top: Int?

    @Option(
        help: ArgumentHelp(
            "Name as many classes as it takes to hold the right one in this share of images, such as 0.95.",
            valueName: "share"))
    var coverage: Double?

    @Option(
        help: ArgumentHelp(
            "Write where the network looked for the class that it names (Grad-CAM): an array of (images, height, width).",
            valueName: "file.npy"))
    var activationMaps: String?

    @Option(
        help: ArgumentHelp(
            "With --activation-maps: the layer whose map is meant. (default: the last with several positions)",
            valueName: "name"))
    var layer: String?

    @OptionGroup(title: "Views") var views: ViewArguments
    @OptionGroup(title: "Model") var options: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard !files.isEmpty || !text.isEmpty else { throw ValidationError("Missing expected argument '<files> ...'") }
        if let top { try require(top >= 1, "--top", top, "at least 1") }
        if let coverage { try require(coverage > 0 && coverage < 1, "--coverage", coverage, "between 0 and 1") }
        if let activationMaps {
            try require(
                activationMaps.hasSuffix(".npy"), "--activation-maps", "'\(activationMaps)'", "a name that ends in .npy"
            )
        }
        try require(layer == nil || activationMaps != nil, "--layer", "'\(layer ?? "")'", "--activation-maps beside it")
        let asksForBoth = try coverage != nil && views.choice != nil
        try require(!asksForBoth, "--coverage", coverage ?? 0, "no --views beside it: it was measured without")
    }

    func run() throws {
        let console = output.console
        try explain(on: console) {
            try machine.tellPrecision(on: console)
            let network = try SavedModel.load(model, inputSize: options.inputSize)
            if TextClassifier.takesTexts(network) {
                return try TextPrediction(options: self, console: console).run(network)
            }
            guard text.isEmpty else { throw GraftError(.argument, "--text: \(model) takes images, not texts") }
            var classifier = try Classifier(network, named: model, options, machine)
            classifier.tellOutputs(on: console)
            classifier.tellNames(on: console)
            if coverage != nil, classifier.calibration == nil {
                throw GraftError(
                    .argument,
                    "--coverage: \(model) does not remember how sure it is; graft report --keep on images that it did not learn from makes it so"
                )
            }
            let paths = try allImages(classifier.rule, on: console)
            if let activationMaps { try write(activationMaps, of: classifier, paths, on: console) }
            var failed = false
            try profiling.follow(machine, on: console) { profiler in
                classifier.options.profiler = profiler
                try forEachAnswer(of: classifier, to: paths) { result in
                    switch result {
                    case .success(var answer):
                        answer.set = coverage.flatMap { classifier.classes(of: answer, coverage: $0) }
                        show(answer, classifier.outputs, on: console)
                    case .failure(let failure):
                        failed = true
                        show(failure, on: console)
                    }
                }
            }
            if failed { throw ExitCode(1) }
        }
    }

    private func write(
        _ output: String, of classifier: Classifier, _ paths: [String], on console: Console
    ) throws {
        try OutputFile.check(output, option: "--activation-maps")
        var writer: NumpyWriter?
        try classifier.forEachActivationMap(contentsOf: paths, layer: layer) { result in
            // What cannot be read is reported with the answers.
            guard case .success(let map) = result else { return }
            let rows = try writer ?? NumpyWriter(creating: output, rowShape: map.values.shape)
            writer = rows
            try rows.append(
                Tensor(map.values.withUnsafeBuffer { Array($0) }, shape: Shape([1] + map.values.shape.dimensions)))
        }
        guard let writer else { throw GraftError(.data, "none of the \(paths.count.of("image")) can be read") }
        try writer.finish()
        console.say("wrote \(output): \(writer.rowCount.of("map"))")
    }

    private func forEachAnswer(
        of classifier: Classifier, to paths: [String],
        _ body: (Result<Classification, ExampleFailure>) throws -> Void
    ) throws {
        guard let views = try views.choice else {
            return try classifier.forEachClassification(contentsOf: paths, body)
        }
        try classifier.forEachClassification(contentsOf: paths, views: views, body)
    }

    /// The images that were named, and those of the folders and tables that were.
    private func allImages(_ rule: ImageRule, on console: Console) throws -> [String] {
        let found = try ImagePaths(files, rule: rule)
        for (argument, problems) in Dictionary(grouping: found.problems, by: \.argument).sorted(by: { $0.key < $1.key })
        {
            console.warn("\(problems.count.of("file")) of \(argument) left out, such as \(problems[0].problem)")
        }
        return found.paths
    }

    func show(_ answer: Classification, _ outputs: ClassifierOutputs, on console: Console) {
        let shown = PredictionText(answer, of: outputs, top: top)
        console.say(shown.line)
        console.emit(shown.object)
    }

    private func show(_ failure: ExampleFailure, on console: Console) {
        console.complain("\(failure)")
        var object = JSONObject(event: "error")
        object.add("path", .string(failure.path))
        object.add("message", .string(failure.message))
        console.emit(object)
    }
}
