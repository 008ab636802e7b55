import ArgumentParser
import Graft

/// `graft evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how well a model does on labelled images.",
        discussion: """
            IMAGES holds one folder a class, named like the model's classes. Prints the loss, the accuracy and, for each \
            class, how many of its images were recognised (recall) and how many of those called so were so (precision).

            Example:
              graft evaluate cats-and-dogs.keras photos/validation
            """)

    @Argument(help: "A model that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var model: String

    @Argument(help: "The folder of images.", completion: .directory)
    var images: String

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            let classifier = try Classifier(path: model, threads: machine.threads)
            let photos = try ImageFolder(
                at: images, rule: classifier.rule, classNames: classifier.model.metadata.classNames,
                threads: machine.threads)
            console.list(photos.problems.map(\.description), title: "left out")
            let model = classifier.model
            try model.compile(
                optimizer: SGD(), loss: .classification(classCount: classifier.classNames.count), metrics: [.accuracy])
            let reporter = ProgressReporter(console: console)
            let evaluation = try model.evaluate(
                photos.training, batchSize: 32, callbacks: [EventHandler { reporter.handle($0) }],
                options: TrainingOptions(threads: machine.threads))
            show(evaluation, classNames: classifier.classNames, on: console)
        }
    }

    private func show(_ evaluation: Evaluation, classNames: [String], on console: Console) {
        console.list(evaluation.failures.map(\.description), title: "could not be read and were left out")
        console.say("\(evaluation.exampleCount) images  \(ProgressReporter.figures(evaluation.figures))")
        let width = classNames.map(\.count).max() ?? 0
        var classes = JSONObject()
        for (name, figures) in zip(classNames, evaluation.classes) {
            let padded = name.padding(toLength: max(width, 5), withPad: " ", startingAt: 0)
            console.say(
                "  \(padded)  \(figures.count) images  recall \(figures.recall.fixed(4))  precision \(figures.precision.fixed(4))")
            var entry = JSONObject()
            entry.add("count", .int(figures.count))
            entry.add("recall", .number(figures.recall))
            entry.add("precision", .number(figures.precision))
            classes.add(name, .object(entry))
        }
        var object = JSONObject(event: "evaluation")
        for key in ProgressReporter.ordered(evaluation.figures) {
            object.add(key, .number(evaluation.figures[key] ?? .nan))
        }
        object.add("images", .int(evaluation.exampleCount))
        object.add("classes", .object(classes))
        object.add("left_out", .strings(evaluation.failures.map(\.path)))
        console.emit(object)
    }
}

extension Loss {
    /// The loss of a classifier: binary for two classes behind one sigmoid, sparse categorical for more.
    static func classification(classCount: Int) -> Loss {
        classCount == 2 ? .binaryCrossentropy : .sparseCategoricalCrossentropy
    }
}
