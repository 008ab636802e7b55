import ArgumentParser
import Foundation
import Graft

/// `graft features`
struct Features: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what a network makes of each image, as a .npy array.",
        discussion: """
            The array has one row an image, in the order of the paths in the text file beside it (features.npy and \
            features.txt). Images that cannot be read are listed and have no row.

            Example:
              graft features inception-v3 photos --input-size 150 --cut mixed7 --output features.npy
            """)

    @Argument(help: "A base (see graft bases), or a .keras model.")
    var network: String

    @Argument(help: "The folder of images; folders inside are searched too.", completion: .directory)
    var images: String

    @OptionGroup(title: "Network") var source: BaseArguments

    @Flag(help: "Keep the classifier that the base was trained with.")
    var top = false

    @Option(
        name: [.long, .customShort("o")], help: ArgumentHelp("Where the array is written.", valueName: "file.npy"))
    var output = "features.npy"

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        guard output.hasSuffix(".npy") else {
            throw ValidationError("--output: got '\(output)', needs a name that ends in .npy")
        }
    }

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            try OutputFile.check(output)
            let whole = try NetworkSource(name: network, arguments: source, top: top).model(on: console)
            let model =
                try source.cut.map { try Model(inputs: whole.inputs, outputs: [whole.layer(named: $0).output]) }
                ?? whole
            let rule = try imageRule(of: whole)
            let files = try ImageFiles(below: images, rule: rule, threads: machine.threads)
            console.list(files.problems.map(\.description), title: "left out")
            try write(model, files, on: console)
        }
    }

    private func imageRule(of model: Model) throws -> ImageRule {
        var rule = try Classifier.rule(of: model, network)
        rule.resize = source.resize
        return rule
    }

    private func write(_ model: Model, _ files: ImageFiles, on console: Console) throws {
        let start = ContinuousClock.now
        let rowShape = try model.output.shape
        let writer = try NumpyWriter(creating: output, rowShape: rowShape)
        var paths: [String] = []
        var failures: [ExampleFailure] = []
        let batchSize = 32
        for first in stride(from: 0, to: files.count, by: batchSize) {
            let indices = Array(first..<min(first + batchSize, files.count))
            let batch = try files.batch(indices)
            failures += batch.failures
            for failure in batch.failures { console.complain("left out \(failure)") }
            if !batch.indices.isEmpty {
                try writer.append(model.predict(batch.inputs[0], options: TrainingOptions(threads: machine.threads)))
                paths += batch.indices.map { files.paths[$0] }
            }
            let elapsed = (ContinuousClock.now - start).seconds
            let done = Progress(done: first + indices.count, total: files.count, elapsed: elapsed)
            console.progress(ProgressReporter.line("features", done))
        }
        guard !paths.isEmpty else {
            throw GraftError(.data, "\(images): none of its \(files.count) images can be read")
        }
        try writer.finish()
        try writePaths(paths)
        let seconds = (ContinuousClock.now - start).seconds
        console.say(
            "wrote \(output): \(paths.count) × \(rowShape), \((Double(paths.count) / seconds).fixed(0)) images/s")
        var object = JSONObject(event: "done")
        object.add("features", .string(output))
        object.add("images", .int(paths.count))
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
