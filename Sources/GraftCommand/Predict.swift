import ArgumentParser
import Graft

/// `graft predict`
struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say which class each picture shows.",
        discussion: """
            A picture that cannot be read is reported and the others are predicted; the exit code is then 1.

            Example:
              graft predict cats-and-dogs.keras one.jpg two.png --top 1
            """)

    @Argument(help: "A model that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var model: String

    @Argument(help: "The pictures.", completion: .file())
    var files: [String]

    @Option(help: ArgumentHelp("How many classes to print, the likeliest first.", valueName: "N"))
    var top: Int?

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Profile") var profiling: ProfileOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if let top { try require(top >= 1, "--top", top, "at least 1") }
    }

    func run() throws {
        let console = output.console
        try explain(on: console) {
            try machine.tellPrecision(on: console)
            let classifier = try Classifier(path: model, machine: machine)
            var failed = false
            try profiling.follow(machine, on: console) { profiler in
                try classifier.predict(files, profiler: profiler) { result in
                    switch result {
                    case .success(let prediction): show(prediction, on: console)
                    case .failure(let failure):
                        failed = true
                        show(failure, on: console)
                    }
                }
            }
            if failed { throw ExitCode(1) }
        }
    }

    private func show(_ prediction: Classifier.Prediction, on console: Console) {
        let ranked = prediction.ranked.prefix(top ?? prediction.ranked.count)
        console.say(
            prediction.path + ": "
                + ranked.map { "\($0.name) \(($0.probability * 100).fixed(2)) %" }.joined(separator: ", "))
        var object = JSONObject(event: "prediction")
        object.add("path", .string(prediction.path))
        object.add("class", .string(prediction.ranked[0].name))
        var probabilities = JSONObject()
        for entry in ranked { probabilities.add(entry.name, .number(entry.probability)) }
        object.add("probabilities", .object(probabilities))
        console.emit(object)
    }

    private func show(_ failure: ExampleFailure, on console: Console) {
        console.complain("\(failure)")
        var object = JSONObject(event: "error")
        object.add("path", .string(failure.path))
        object.add("message", .string(failure.message))
        console.emit(object)
    }
}
