import GraftGraph
import GraftLearning
import GraftModel
import GraftRuntime
import Synchronization

/// Runs a model so that more than its output is seen: what it knows of an example before its head, and where it looked.
///
/// The *map* is the last value with several positions, such as the output of `mixed7`; *features* are its mean over the positions.
/// May be used from many threads at once.
package final class ModelExplainer: Sendable {
    /// The most examples of a run.
    package static let batchSize = 16

    /// The layer that the map comes from; `nil` where the model has none, and then features are what reaches its last layer
    /// with weights.
    package let mapLayer: String?
    /// Whether there are class activation maps.
    package let hasActivationMaps: Bool
    /// How many features an example has.
    package let featureCount: Int

    private let parts: ModelParts
    private let points: ExplanationPoints
    let options: TrainingOptions
    private let features: any Plan
    /// Made at the first map.
    private let gradients = Mutex<(any Plan)?>(nil)

    private static let seeds = "explained.classes"

    /// Lowers a model.
    ///
    /// - Parameters:
    ///   - model: a model with one output.
    ///   - layer: whose map is meant; the last one where `nil`.
    ///   - options: threads and precision.
    /// - Throws: `GraftError` with code `argument` for several outputs, and for a layer without a map.
    package init(_ model: Model, layer: String? = nil, options: TrainingOptions) throws {
        let parts = try ModelParts(model.lower(batchSize: Self.batchSize, training: false))
        let points = try ExplanationPoints(of: parts.graph, layer: layer)
        (self.parts, self.points, self.options) = (parts, points, options)
        mapLayer = points.map.map { parts.graph[$0].label }
        hasActivationMaps = points.map.map { parts.graph.shape(of: $0).rank == 4 } ?? false
        let graph = try Self.featureGraph(parts.graph, points)
        featureCount = graph.shape(of: graph.outputs[1]).last
        features = try options.makeBackend().compile(graph)
        try features.bind(parts.values(readBy: graph))
    }

    /// What the model says of some examples, and what it knows of them.
    ///
    /// - Parameter inputs: a tensor for each input of the model with at most ``batchSize`` rows.
    /// - Returns: the outputs (rows, classes) and the features (rows, ``featureCount``).
    package func run(_ inputs: [Tensor]) throws -> (outputs: Tensor, features: Tensor) {
        let results = try features.run(feed(inputs))
        let rows = inputs[0].shape[0]
        return (results[0].prefix(rows: rows), results[1].prefix(rows: rows))
    }

    /// Where the model looked: gradient-weighted class activation maps.
    ///
    /// `relu(Σ_c w_c · A_c)`, where `A` is the map and `w_c` the mean over positions of the gradient of the class's score
    /// (before softmax or sigmoid) by `A_c`.
    ///
    /// Source: Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization",
    /// arXiv:1610.02391.
    ///
    /// - Parameters:
    ///   - inputs: as for ``run(_:)``.
    ///   - classes: the class that is asked about, for each row.
    /// - Returns: (rows, height, width) of the map, not scaled; `nil` where the model has no such map.
    package func activationMaps(_ inputs: [Tensor], classes: [Int]) throws -> Tensor? {
        guard hasActivationMaps else { return nil }
        let plan = try gradients.withLock { plan in
            if let plan { return plan }
            let graph = try gradientGraph()
            let new = try options.makeBackend().compile(graph)
            try new.bind(parts.values(readBy: graph))
            plan = new
            return new
        }
        var feed = feed(inputs)
        let width = parts.graph.shape(of: points.scores).last
        var seeds = [Float](repeating: 0, count: Self.batchSize * width)
        for (row, label) in classes.enumerated().prefix(Self.batchSize) {
            if points.isBinary {
                seeds[row] = label == 0 ? -1 : 1
            } else if label < width {
                seeds[row * width + label] = 1
            }
        }
        feed[Self.seeds] = Tensor(seeds, shape: [Self.batchSize, width])
        return try plan.run(feed)[0].prefix(rows: inputs[0].shape[0])
    }

    private func feed(_ inputs: [Tensor]) -> [String: Tensor] {
        let padded = inputs.map { $0.padded(toRows: Self.batchSize) }
        return Dictionary(zip(parts.inputNames, padded)) { first, _ in first }
    }

    private static func featureGraph(_ graph: Graph, _ points: ExplanationPoints) throws -> Graph {
        let scope = GraphScope(graph)
        let features: GraphValue
        if let map = points.map {
            features = try scope[map].reduced(.mean, axes: Array(1..<(graph.shape(of: map).rank - 1)))
        } else {
            features = scope[graph.inputOfLastProduct(before: points.scores)]
        }
        scope.graph.outputs = [graph.outputs[0], features.id]
        return try scope.graph.pruned()
    }

    private func gradientGraph() throws -> Graph {
        let scope = GraphScope(parts.graph)
        guard let map = points.map else { throw GraftError(.state, "the model has no map") }
        let scores = scope[points.scores]
        let seeds = try scope.input(Self.seeds, scores.shape)
        let score = try (scores * seeds).reduced(.sum)
        let gradient = scope[try scope.graph.gradients(of: score.id, withRespectTo: [map])[0]]
        let weights = try gradient.reduced(.mean, axes: [1, 2], keepDimensions: true)
        let sum = try (weights * scope[map]).reduced(.sum, axes: [3])
        scope.graph.outputs = [try sum.unary(.relu).id]
        return try scope.graph.pruned()
    }
}

extension Graph {
    /// What the last matrix product before a value multiplies; the value itself where there is none.
    fileprivate func inputOfLastProduct(before value: ValueID) -> ValueID {
        var next = value
        while true {
            let node = self[next]
            if case .product = node.operation { return node.operands[0] }
            // Biases come second.
            guard let operand = node.operands.first, shape(of: operand).rank == 2 else { return value }
            next = operand
        }
    }
}
