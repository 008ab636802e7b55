import Foundation
import GraftGraph
import GraftModel
import Testing

/// A layer, or a small model, with what Keras computed for it; written by `Tests/Keras/layers.py`.
struct KerasCase: Decodable, Sendable, CustomTestStringConvertible {
    /// A layer as Keras serializes it.
    struct SerializedLayer: Decodable, Sendable {
        let className: String
        let config: Configuration

        enum CodingKeys: String, CodingKey {
            case className = "class_name"
            case config
        }
    }

    /// An array; weights have a name too.
    struct Array: Decodable, Sendable {
        let name: String?
        let shape: [Int]
        let values: [Float]
        /// What they are, where that is not float32.
        let dtype: String?

        var elementType: ElementType { dtype.flatMap(ElementType.init(rawValue:)) ?? .float32 }
        var tensor: Tensor { Tensor(values, shape: Shape(shape)).stored(as: elementType) }
        var reference: ReferenceArray { ReferenceArray(tensor) }
    }

    let name: String
    let layer: SerializedLayer
    let training: Bool
    let inputs: [Array]
    let weights: [Array]
    /// What the outputs are multiplied by, element by element, before they are summed to the loss.
    let probes: [Array]
    let outputs: [Array]
    let inputGradients: [Array]
    /// One for each weight; `nil` for those that do not train.
    let weightGradients: [Array?]
    /// The value that a training step writes to each weight; `nil` where it writes none.
    let updates: [Array?]

    var testDescription: String { name }

    /// All cases of the fixture.
    static let all: [KerasCase] = {
        do {
            guard
                let url = Bundle.module.url(
                    forResource: "keras-layers", withExtension: "json", subdirectory: "Fixtures")
            else { return [] }
            return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url)).cases
        } catch {
            Issue.record("the fixture of Keras's layers cannot be read: \(error)")
            return []
        }
    }()

    private struct Fixture: Decodable {
        let cases: [KerasCase]
    }
}

extension KerasCase {
    /// The case as one graph: its outputs are the layer's outputs, then the gradients of the loss with respect to the
    /// inputs but integers, then those with respect to the trainable weights; its updates are those of the moving statistics.
    struct Lowered {
        let graph: Graph
        /// What each input of the graph is given.
        let inputs: [String: Tensor]
        /// The value of each variable.
        let variables: [VariableID: Tensor]
        /// The number in the graph of each weight, `nil` where the graph does not read it.
        let identifiers: [VariableID?]
    }

    /// Builds the layer from Keras's configuration, gives it the weights, lowers and differentiates it.
    func lowered() throws -> Lowered {
        let places = inputs.map {
            Input(shape: Shape(Swift.Array($0.shape.dropFirst())), dtype: $0.elementType)
        }
        let layer = try makeLayer()
        let model = try Model(inputs: places, outputs: layer.call(places))
        #expect(layer.variables.map(\.name) == weights.map(\.name), "the names of the weights, in order")
        try layer.setWeights(weights.map(\.tensor))
        #expect(layer.variables.map(layer.trainableVariables.contains) == weightGradients.map { $0 != nil })

        let lowered = try model.lower(batchSize: inputs[0].shape[0], training: training)
        var graph = lowered.graph
        let identifiers = layer.variables.map { lowered.variables.firstIndex(of: $0).map(VariableID.init) }
        var loss = try graph.constant(0)
        for (index, (output, probe)) in zip(lowered.outputs, probes).enumerated() {
            let weighted = try graph.binary(.multiply, output, graph.input("probe.\(index)", Shape(probe.shape)))
            loss = try graph.binary(.add, loss, graph.reduce(.sum, weighted))
        }
        var parameters: [ValueID] = []
        for (name, input) in zip(lowered.inputNames, inputs) where input.elementType == .float32 {
            try parameters.append(graph.input(name, Shape(input.shape)))
        }
        for (variable, identifier) in zip(layer.variables, identifiers) {
            guard let identifier, layer.trainableVariables.contains(variable) else { continue }
            try parameters.append(graph.variable(identifier, variable.shape))
        }
        graph.outputs = try lowered.outputs + graph.gradients(of: loss, withRespectTo: parameters)
        let given = zip(lowered.inputNames, inputs).map { ($0, $1.tensor) }
        let probed = probes.enumerated().map { ("probe.\($0)", $1.tensor) }
        let values = lowered.variables.enumerated().map { (VariableID($0), $1.value) }
        return Lowered(
            graph: graph, inputs: Dictionary(uniqueKeysWithValues: given + probed),
            variables: Dictionary(uniqueKeysWithValues: values), identifiers: identifiers)
    }

    /// The layer, or the model, that Keras's configuration describes.
    func makeLayer() throws -> Layer {
        guard ["Functional", "Sequential"].contains(layer.className) else {
            return try LayerRegistry.standard.layer(layer.className, layer.config)
        }
        return try Model.deserialize(["class_name": .string(layer.className), "config": layer.config])
    }

    /// What the graph's outputs have to be, in order, with a name each.
    var expectedOutputs: [(name: String, value: ReferenceArray)] {
        let named = zip(weights, weightGradients).compactMap { weight, gradient in
            gradient.map { ("the gradient of \(weight.name ?? "a weight")", $0.reference) }
        }
        return outputs.enumerated().map { ("output \($0)", $1.reference) }
            + inputGradients.enumerated().map { ("the gradient of input \($0)", $1.reference) } + named
    }
}
