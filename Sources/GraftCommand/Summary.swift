import ArgumentParser
import Graft

/// `graft summary`
struct Summary: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a network's layers, shapes and parameters.",
        discussion: """
            Needs no weights: a base is drawn as it is built.

            Examples:
              graft summary inception-v3 --input-size 150 --cut mixed7
              graft summary cats-and-dogs.keras
              graft summary model.onnx
              graft summary any-size.keras --input-size 224
            """)

    @Argument(help: "A base (see graft bases), or a model in a file: .keras, .h5, .onnx.")
    var network: String

    @Option(help: ArgumentHelp("The height and width in pixels; the network's own if not given.", valueName: "pixels"))
    var inputSize: Int?

    @Option(help: ArgumentHelp("The layer at which the network is cut off.", valueName: "layer"))
    var cut: String?

    @Flag(help: "Keep the classifier that the base was trained with.")
    var top = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let console = output.console
        try explain(on: console) {
            var choice = BaseChoice(inputSize: inputSize, cut: cut)
            // A base is drawn with random weights; a saved model has its own.
            if !SavedModel.isNamed(by: network) { choice.weights = Weights.none }
            let source = NetworkSource(name: network, choice: choice, top: top)
            let model = try source.cut(source.model(on: console))
            guard console.isJSON else { return console.say(lines: model.summary(width: console.width)) }
            emit(model, on: console)
        }
    }

    private func emit(_ model: Model, on console: Console) {
        let summary = ModelSummary(of: model)
        for row in summary.rows {
            var object = JSONObject(event: "layer")
            object.add("name", .string(row.name))
            object.add("type", .string(row.type))
            object.add("output_shape", .string(row.outputShape))
            object.add("parameters", .int(row.parameters))
            object.add("connected_to", .strings(row.connectedTo))
            object.add("trainable", row.trainable.map { .bool($0) } ?? .null)
            console.emit(object)
        }
        var object = JSONObject(event: "summary")
        object.add("parameters", .int(summary.totalParameters))
        object.add("trainable_parameters", .int(summary.trainableParameters))
        console.emit(object)
    }
}
