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

    @Argument(help: "The folder of images.", completion: .directory)
    var images: String

    @OptionGroup(title: "Views") var views: ViewArguments
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

    private func examples(for classifier: Classifier, on console: Console) throws -> ImageDataset {
        let (rule, names) = (classifier.rule, classifier.model.metadata.classNames)
        if let flat = try FlatFolder(at: images, rule: rule) {
            let (examples, leftOut) = try flat.examples(classNames: names, threads: machine.threads)
            console.list(leftOut, title: "left out")
            return examples
        }
        let folder = try ImageFolder(at: images, rule: rule, classNames: names, threads: machine.threads)
        console.list(folder.problems.map(\.description), title: "left out")
        return part(of: folder, on: console)
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
}
