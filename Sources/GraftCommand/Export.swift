import ArgumentParser
import Foundation
import Graft

/// `graft export`
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a network for other programs: ONNX, Keras's models and weights.",
        discussion: """
            The file computes what the model does in inference, its preprocessing included: it takes images as numbers from 0 to \
            255 of the shape (batch, height, width, 3). The kind of file follows from the ending of its name:
              .onnx         operators of opset 18, for onnxruntime, OpenVINO, TensorRT, browsers
              .keras        the whole model, for Keras: of an .onnx or .h5 file, for instance
              .weights.h5   the weights alone, as Keras 3's save_weights writes them

            A network is read again from the file, and both are given the images of --check, or random ones: where an output differs \
            by more than 1e-4 of the largest, nothing is written and the command fails.

            Examples:
              graft export cats-and-dogs.keras --check photos/validation --output cats-and-dogs.onnx
              graft export mobilenet-v2 --weights mobilenet_v2.h5 --top --output mobilenet.onnx
            """)

    @Argument(help: "A model in a file (.keras, .h5, .onnx), or a base (see graft bases).")
    var network: String

    @OptionGroup(title: "Network") var source: BaseArguments

    @Flag(help: "Keep the classifier that the base was trained with.")
    var top = false

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp("Where the file is written.", valueName: "file.onnx|file.keras|file.weights.h5"))
    var output: String

    @Option(
        help: ArgumentHelp(
            "Images that the file is proved on: a folder, a table, or - for a list of files on standard input; random ones if not given.",
            valueName: "images"), completion: .file())
    var check: String?

    @Flag(help: "Do not prove the file.")
    var noCheck = false

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        guard source.images.given.isEmpty else {
            throw ValidationError(
                "\(source.images.given.joined(separator: ", ")): not for export: the file takes images of its own size, and "
                    + "whoever runs it brings them there")
        }
        try require(
            [".onnx", ".keras", ".weights.h5"].contains(where: output.hasSuffix), "--output", "'\(output)'",
            "a name that ends in .onnx, .keras or .weights.h5")
        guard check == nil || !(noCheck || isOfWeights) else {
            throw ValidationError(
                isOfWeights
                    ? "--check: a file of weights alone is no network that images can be given to; export .onnx or .keras"
                    : "--check and --no-check: give one of them")
        }
    }

    private var isOfWeights: Bool { output.hasSuffix(".weights.h5") }

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            try OutputFile.check(output)
            let source = NetworkSource(name: network, choice: source.choice, top: top)
            let model = try source.cut(source.model(on: console))
            let comparison = try write(model, on: console)
            report(model, comparison, on: console)
        }
    }

    /// Writes the file under another name, proves it, and gives it its name; the comparison, where there was one.
    private func write(_ model: Model, on console: Console) throws -> ModelComparison? {
        guard !isOfWeights, !noCheck else {
            try write(model, to: output)
            return nil
        }
        let (folder, name) = ((output as NSString).deletingLastPathComponent, (output as NSString).lastPathComponent)
        let unproved = (folder as NSString).appendingPathComponent(
            ".unproved-\(ProcessInfo.processInfo.processIdentifier)-\(name)")
        defer { try? FileManager.default.removeItem(atPath: unproved) }
        try write(model, to: unproved)
        let comparison = try compared(model, withFileAt: unproved, on: console)
        if let comparison, !(comparison.difference <= ModelComparison.tolerance) {
            throw GraftError(
                .format,
                "\(output) was not written: what the file computes differs from the model by \(comparison.difference) of the largest "
                    + "output, where at most \(ModelComparison.tolerance) is expected; --no-check writes it all the same"
            )
        }
        guard rename(unproved, output) == 0 else {
            throw GraftError(.file, "\(output) cannot be written: \(String(cString: strerror(errno)))")
        }
        return comparison
    }

    /// `nil`, with a word on it, where Graft writes what it does not read.
    private func compared(_ model: Model, withFileAt path: String, on console: Console) throws -> ModelComparison? {
        let written: Model
        do {
            written = try Model.load(path)
        } catch {
            guard check == nil, error.code == .format else { throw error }
            console.warn(
                "the file was not proved, as Graft does not read it: \(error.message.replacingOccurrences(of: path, with: output))"
            )
            return nil
        }
        guard let check else {
            guard model.inputs.allSatisfy({ $0.dtype == .float32 }) else { return nil }
            return try ModelComparison(of: model, and: written)
        }
        let named = try ImagePaths([check], rule: try Classifier.rule(of: model, network))
        console.list(named.problems.map(\.problem.description), title: "left out")
        return try ModelComparison(
            of: model, and: written, on: ImageFiles(paths: named.paths, rule: Classifier.rule(of: model, network)))
    }

    private func write(_ model: Model, to path: String) throws(GraftError) {
        if path.hasSuffix(".onnx") { return try model.exportONNX(to: path) }
        if path.hasSuffix(".keras") { return try model.save(path) }
        try model.saveWeights(path)
    }

    private func report(_ model: Model, _ comparison: ModelComparison?, on console: Console) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: output)
        let size = (attributes?[.size] as? Int) ?? 0
        console.say("wrote \(output), \(size.asByteCount)")
        for (word, tensors) in [("input", model.inputs), ("output", model.outputs)] {
            for tensor in tensors { console.say("\(word) \(tensor.layer.name): \(tensor.shape.batchDescription)") }
        }
        if let comparison {
            let count = comparison.exampleCount
            console.say(
                "read again, it gives \(comparison.sameClassCount) of \(count) \(check == nil ? "random inputs" : "images") the same class; the largest "
                    + "difference is \(comparison.difference) of the largest output")
        }
        var object = JSONObject(event: "done")
        object.add("output", .string(output))
        object.add("difference", comparison.map { .number($0.difference) } ?? .null)
        object.add("compared", .int(comparison?.exampleCount ?? 0))
        object.add("same_class", .int(comparison?.sameClassCount ?? 0))
        object.add("bytes", .int(size))
        object.add("inputs", .strings(model.inputs.map(\.layer.name)))
        object.add("outputs", .strings(model.outputs.map(\.layer.name)))
        console.emit(object)
    }
}
