import ArgumentParser
import Graft

/// `graft evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how well a model does on labelled images.",
        discussion: """
            IMAGES holds one folder a class, named like the model's classes; of a folder with train/, validation/ and \
            test/, the last is evaluated that there is. A folder of images alone is evaluated where its name is that of a \
            class, or where theirs begin with one, such as cats.1.jpg. Prints the loss, the accuracy and, for each \
            class, how many of its images were recognised (recall), how many of those called so were so (precision), the \
            harmonic mean of both (F1), and which classes were taken for which.

            Example:
              graft evaluate cats-and-dogs.keras photos/validation
            """)

    @Argument(help: "A model that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var model: String

    @Argument(help: "The folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var images: String

    @Option(
        help: ArgumentHelp(
            "The part to evaluate: train, validation or test. Where IMAGES is not divided, the images that the model was not "
                + "trained on, as it remembers them (train --split).",
            valueName: "part"))
    var split: DatasetPart?

    @OptionGroup(title: "Model") var options: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            try machine.tellPrecision(on: console)
            var classifier = try Classifier(model, options, machine)
            try classifier.requireProbabilities()
            classifier.tellOutputs(on: console)
            let examples = try examples(for: classifier, on: console)
            try profiling.follow(machine, on: console) { profiler in
                classifier.options.profiler = profiler
                let evaluation = try classifier.evaluate(examples) {
                    console.progress(ProgressLine("evaluation", $0))
                }
                show(evaluation, on: console)
            }
        }
    }

    private func examples(for classifier: Classifier, on console: Console) throws -> ImageDataset {
        let (rule, metadata) = (classifier.rule, classifier.model.metadata)
        let names = metadata.classNames
        if split == nil, let flat = try FlatFolder(at: images, rule: rule) {
            let (examples, leftOut) = try flat.examples(classNames: names, threads: machine.threads)
            console.list(leftOut, title: "left out")
            return examples
        }
        let found = try LabelledImages(
            at: images, rule: rule, task: metadata.imageTask, classNames: names, threads: machine.threads)
        console.list(found.problems.map(\.description), title: "left out")
        return try split.map { try part($0, of: found, metadata.heldBack) } ?? part(of: found, on: console)
    }

    /// The part that was asked for, by the folder or the table, or else by what the model remembers.
    private func part(
        _ part: DatasetPart, of found: LabelledImages, _ heldBack: HeldBackFiles?
    ) throws(GraftError) -> ImageDataset {
        if found.validation != nil || found.test != nil {
            guard let images = found[part], images.count > 0 else {
                throw GraftError(.data, "--split: \(images) has no part \(part.rawValue)")
            }
            return images
        }
        guard let heldBack else {
            throw GraftError(
                .argument,
                "--split: neither does \(images) say which images are for what, nor does \(model) remember it; train with "
                    + "--split, or on a table of graft split")
        }
        let parts = heldBack.parts(of: found.training.paths, threads: machine.threads)
        let wanted = parts.indices.filter { (parts[$0] ?? .training) == part }
        guard !wanted.isEmpty else {
            throw GraftError(
                .data,
                "--split: none of the images of \(images) is one that \(model) remembers as its part \(part.rawValue)")
        }
        return try found.training.subset(wanted)
    }

    /// The images that the model has not seen, where the folder says which those are.
    private func part(of photos: LabelledImages, on console: Console) -> ImageDataset {
        if let test = photos.test {
            console.say("\(images) has a test part: evaluating that")
            return test
        }
        if let validation = photos.validation {
            console.say("\(images) has a validation part: evaluating that")
            return validation
        }
        return photos.training
    }

    private func show(_ evaluation: Evaluation, on console: Console) {
        console.list(evaluation.failures.map(\.description), title: "left out, as they cannot be read")
        console.say("\(evaluation.exampleCount.of("image"))  \(ProgressReporter.figures(evaluation.figures))")
        let width = evaluation.classes.map(\.name.count).max() ?? 0
        let confusions = ConfusionText(evaluation.confusion, names: evaluation.classes.map(\.name))
        var classes = JSONObject()
        for figures in evaluation.classes {
            let padded = figures.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let shown = [("recall", figures.recall), ("precision", figures.precision), ("F1", figures.f1)].map {
                "\($0) \($1?.fixed(4) ?? "-")"
            }
            console.say("  \(padded)  \(figures.count.of("image"))  \(shown.joined(separator: "  "))")
            var entry = JSONObject()
            entry.add("count", .int(figures.count))
            entry.add("recall", figures.recall.map { .number($0) } ?? .null)
            entry.add("precision", figures.precision.map { .number($0) } ?? .null)
            entry.add("f1", figures.f1.map { .number($0) } ?? .null)
            entry.add("taken_for", .object(confusions.object(of: figures.name)))
            classes.add(figures.name, .object(entry))
        }
        for line in confusions.lines { console.say("  \(line)") }
        var object = JSONObject(event: "evaluation")
        object.add(figures: evaluation.figures)
        object.add("classes", .object(classes))
        object.add("images", .int(evaluation.exampleCount))
        object.add("left_out", .strings(evaluation.failures.map(\.path)))
        console.emit(object)
    }
}
