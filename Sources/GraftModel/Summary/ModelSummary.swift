/// What Keras's `summary` tells about a model, as data; ``table(width:style:)`` prints it.
public struct ModelSummary: Codable, Sendable {
    /// The model's name.
    public var name: String
    /// A row for each layer.
    public var rows: [SummaryRow]
    /// Whether each layer reads the one before it alone, so that connections tell nothing.
    public var isSequential: Bool
    /// The number of all variables' elements.
    public var totalParameters: Int
    /// The elements that training changes.
    public var trainableParameters: Int
    /// The elements that it does not change.
    public var nonTrainableParameters: Int

    /// The summary of a model.
    ///
    /// - Parameter expandNested: Whether the layers inside models of the model get rows too.
    public init(of model: Model, expandNested: Bool = false) {
        name = model.name
        isSequential = model.isSequentialLike
        rows = Self.rows(of: model, expandNested: expandNested, level: 0)
        totalParameters = model.countParameters()
        trainableParameters = model.trainableVariables.parameterCount
        nonTrainableParameters = totalParameters - trainableParameters
    }

    private static func rows(of model: Model, expandNested: Bool, level: Int) -> [SummaryRow] {
        let (connections, shapes) = (model.connections, model.outputShapesOfLayers)
        return model.layers.flatMap { layer in
            let identity = ObjectIdentifier(layer)
            let row = SummaryRow(
                layer, outputShapes: shapes[identity, default: []], connectedTo: connections[identity, default: []],
                level: level)
            guard expandNested, let inner = layer as? Model else { return [row] }
            return [row] + rows(of: inner, expandNested: true, level: level + 1)
        }
    }
}

/// What the summary tells about one layer.
public struct SummaryRow: Codable, Hashable, Sendable {
    /// The layer's name.
    public var name: String
    /// Keras's class name.
    public var type: String
    /// The shape of its output with the batch axis, `(None, 7, 7, 768)`; `?` where it is not known.
    public var outputShape: String
    /// The number of its variables' elements.
    public var parameters: Int
    /// Whether its variables exist.
    public var isBuilt: Bool
    /// What it reads: `mixed6[0][0]`, the layer's name, the number of its call and of its output.
    public var connectedTo: [String]
    /// Whether training changes its variables; `nil` where it has none.
    public var trainable: Bool?
    /// How many models it is inside, the summarized one not counted.
    public var level: Int

    init(_ layer: Layer, outputShapes: [Shape], connectedTo: [String], level: Int) {
        name = layer.name
        type = layer.kindName
        outputShape = Self.description(of: outputShapes)
        parameters = layer.countParameters()
        isBuilt = layer.isBuilt
        self.connectedTo = connectedTo
        trainable = layer.variables.isEmpty ? nil : layer.trainable
        self.level = level
    }

    private static func description(of shapes: [Shape]) -> String {
        guard shapes.count != 1 else { return shapes[0].batchDescription }
        return shapes.isEmpty ? "?" : "[" + shapes.map(\.batchDescription).joined(separator: ", ") + "]"
    }
}

extension Model {
    /// What each layer reads in this model.
    fileprivate var connections: [ObjectIdentifier: [String]] {
        guard let graph else { return [:] }
        var positions: [ObjectIdentifier: Int] = [:]
        var counts: [ObjectIdentifier: Int] = [:]
        let calls = graph.calls.sorted { $0.sequence < $1.sequence }
        for call in calls {
            positions[ObjectIdentifier(call)] = counts[ObjectIdentifier(call.layer), default: 0]
            counts[ObjectIdentifier(call.layer), default: 0] += 1
        }
        var result: [ObjectIdentifier: [String]] = [:]
        for call in calls {
            result[ObjectIdentifier(call.layer), default: []] += call.inputs.map { input in
                "\(input.layer.name)[\(positions[ObjectIdentifier(input.call), default: 0])][\(input.index)]"
            }
        }
        return result
    }

    /// The shapes that each layer's last call in this model gives.
    fileprivate var outputShapesOfLayers: [ObjectIdentifier: [Shape]] {
        let calls = graph?.calls.sorted { $0.sequence < $1.sequence } ?? []
        return Dictionary(calls.map { (ObjectIdentifier($0.layer), $0.outputShapes) }) { _, last in last }
    }

    /// Whether each layer is called once, on the output of the one before it.
    fileprivate var isSequentialLike: Bool {
        guard let graph else { return true }
        guard graph.inputs.count == 1, graph.calls.count == graph.layers.count else { return false }
        return zip(graph.calls, graph.calls.dropFirst()).allSatisfy { previous, call in
            call.inputs.count == 1 && call.inputs[0].call === previous
        }
    }
}
