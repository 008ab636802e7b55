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

            Examples:
              graft export cats-and-dogs.keras --output cats-and-dogs.onnx
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
    }

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            try OutputFile.check(output)
            let source = NetworkSource(name: network, choice: source.choice, top: top)
            let model = try source.cut(source.model(on: console))
            try write(model)
            report(model, on: console)
        }
    }

    private func write(_ model: Model) throws(GraftError) {
        if output.hasSuffix(".onnx") { return try model.exportONNX(to: output) }
        if output.hasSuffix(".keras") { return try model.save(output) }
        try model.saveWeights(output)
    }

    private func report(_ model: Model, on console: Console) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: output)
        let size = (attributes?[.size] as? Int) ?? 0
        console.say("wrote \(output), \(size.asByteCount)")
        for (word, tensors) in [("input", model.inputs), ("output", model.outputs)] {
            for tensor in tensors { console.say("\(word) \(tensor.layer.name): \(tensor.shape.batchDescription)") }
        }
        var object = JSONObject(event: "done")
        object.add("output", .string(output))
        object.add("bytes", .int(size))
        object.add("inputs", .strings(model.inputs.map(\.layer.name)))
        object.add("outputs", .strings(model.outputs.map(\.layer.name)))
        console.emit(object)
    }
}
