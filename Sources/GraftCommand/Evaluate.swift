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

            Examples:
              graft evaluate cats-and-dogs.keras photos/validation
              graft evaluate cats-and-dogs.keras photos/validation --views 8 --augment flip,crop:0.7:1
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

    @OptionGroup(title: "Texts") var texts: TextArguments
    @OptionGroup(title: "Views") var views: ViewArguments
    @OptionGroup(title: "Model") var options: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            try machine.tellPrecision(on: console)
            let network = try SavedModel.load(model, inputSize: options.inputSize)
            if TextClassifier.takesTexts(network) { return try evaluateTexts(network, on: console) }
            var classifier = try Classifier(network, named: model, options, machine)
            try classifier.requireProbabilities()
            classifier.tellOutputs(on: console)
            let examples = try examples(for: classifier, on: console)
            try profiling.follow(machine, on: console) { profiler in
                classifier.options.profiler = profiler
                guard let views = try views.choice else {
                    let evaluation = try classifier.evaluate(examples) {
                        console.progress(ProgressLine("evaluation", $0))
                    }
                    return EvaluationText(evaluation).show(on: console)
                }
                let evaluation = try classifier.evaluate(examples, views: views) {
                    console.progress(ProgressLine("evaluation", $0))
                }
                EvaluationText(evaluation, views).show(on: console)
            }
        }
    }

    /// The loss, the accuracy and each class's figures of a model of texts.
    private func evaluateTexts(_ network: Model, on console: Console) throws {
        let classifier = try TextClassifier(network, named: model, options: machine.trainingOptions())
        let metadata = classifier.model.metadata
        let found = try LabelledTexts(
            at: images, columns: texts.columns, task: metadata.imageTask ?? .classes, classNames: metadata.classNames)
        console.list(found.problems.map(\.description), title: "left out")
        let part = split ?? (found.test != nil ? .test : found.validation != nil ? .validation : .training)
        guard let examples = found[part], examples.count > 0 else {
            throw GraftError(.data, "--split: \(images) has no part \(part.rawValue)")
        }
        if part != .training { console.say("\(images): evaluating its part \(part.rawValue)") }
        let evaluation = try classifier.evaluate(examples) { console.progress(ProgressLine("evaluation", $0)) }
        console.closeProgressLine()
        EvaluationText(evaluation, noun: "text").show(on: console)
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
}
