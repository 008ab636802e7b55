import ArgumentParser
import Graft

/// `graft evaluate`
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how well a model does on labelled images.",
        discussion: """
            IMAGES holds one folder a class, named like the model's classes; of a folder with train/, validation/ and \
            test/, the last is evaluated that there is. Prints the loss, the accuracy and, for each \
            class, how many of its images were recognised (recall), how many of those called so were so (precision), the \
            harmonic mean of both (F1), and which classes were taken for which.

            Example:
              graft evaluate cats-and-dogs.keras photos/validation
            """)

    @Argument(help: "A model that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var model: String

    @Argument(help: "The folder of images.", completion: .directory)
    var images: String

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            try machine.tellPrecision(on: console)
            let classifier = try Classifier(path: model, machine: machine)
            let photos = try ImageFolder(
                at: images, rule: classifier.rule, classNames: classifier.model.metadata.classNames,
                threads: machine.threads)
            console.list(photos.problems.map(\.description), title: "left out")
            try profiling.follow(machine, on: console) { profiler in
                let evaluation = try classifier.model.evaluate(
                    part(of: photos, on: console), options: machine.trainingOptions(profiler: profiler)
                ) { console.progress(ProgressLine("evaluation", $0)) }
                show(evaluation, on: console)
            }
        }
    }

    /// The images that the model has not seen, where the folder says which those are.
    private func part(of photos: ImageFolder, on console: Console) -> ImageDataset {
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
        let mistakes = Mistakes(evaluation.confusion, names: evaluation.classes.map(\.name))
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
            entry.add("taken_for", .object(mistakes.object(of: figures.name)))
            classes.add(figures.name, .object(entry))
        }
        for line in mistakes.lines { console.say("  \(line)") }
        var object = JSONObject(event: "evaluation")
        object.add(figures: evaluation.figures)
        object.add("classes", .object(classes))
        object.add("images", .int(evaluation.exampleCount))
        object.add("left_out", .strings(evaluation.failures.map(\.path)))
        console.emit(object)
    }
}
