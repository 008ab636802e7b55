import GraftFeatures
import GraftGraph
import GraftLearning
import GraftModel
import GraftRuntime
import Synchronization

/// Runs a model so that more than its output is seen: what it knows of an example before its head, and where it looked.
///
/// The *map* is the last value with several positions, such as the output of `mixed7`. *Features* are what the first dense layer
/// behind it reads, or the mean of the map over its positions where that is more than ``widestFeatures``. May be used from many
/// threads at once.
package final class ModelExplainer: Sendable {
    /// The most examples of a run.
    package let batchSize: Int
    /// More numbers than this are positions laid side by side, such as `Flatten` makes.
    private static let widestFeatures = 4096

    /// The layer that the map comes from; `nil` where the model has none.
    package let mapLayer: String?
    /// Whether there are class activation maps.
    package let hasActivationMaps: Bool
    /// How many features an example has.
    package let featureCount: Int

    let model: Model
    /// Whether the map is that of a layer that was named.
    let isOfNamedLayer: Bool
    private let parts: ModelParts
    private let points: ExplanationPoints
    let options: TrainingOptions
    private let features: BoundPlan
    /// Made at the first map.
    private let gradients = Mutex<BoundPlan?>(nil)

    private static let seeds = "explained.classes"

    /// Lowers a model.
    ///
    /// - Parameters:
    ///   - model: a model with one output.
    ///   - layer: whose map is meant; the last one where `nil`.
    ///   - batchSize: the most examples of a run, 1 or more; all runs take as long.
    ///   - options: threads and precision.
    /// - Throws: `GraftError` with code `argument` for several outputs, and for a layer without a map.
    package convenience init(
        _ model: Model, layer: String? = nil, batchSize: Int = 16, options: TrainingOptions
    ) throws {
        try self.init(
            model, ModelParts(model.lower(batchSize: batchSize, training: false)), layer: layer, batchSize: batchSize,
            options: options)
    }

    /// The same of a model's parts: where they are split, inputs are features that were kept.
    init(_ model: Model, _ parts: ModelParts, layer: String?, batchSize: Int, options: TrainingOptions) throws {
        let points = try ExplanationPoints(of: parts.graph, layer: layer, inputsAreFeatures: parts.trunk != nil)
        (self.model, self.parts, self.points) = (model, parts, points)
        (self.options, self.batchSize, isOfNamedLayer) = (options, batchSize, layer != nil)
        mapLayer = points.map.map { parts.graph[$0].label }
        hasActivationMaps = points.map.map { parts.graph.shape(of: $0).rank == 4 } ?? false
        let graph = try Self.featureGraph(parts.graph, points)
        featureCount = graph.shape(of: graph.outputs[1]).last
        features = try BoundPlan(graph, of: parts, options: options)
    }

    /// Whether it was made for such a batch and such options.
    package func serves(_ batchSize: Int, _ options: TrainingOptions) -> Bool {
        batchSize == self.batchSize && options.threads == self.options.threads
            && options.precision == self.options.precision
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
            let new = try BoundPlan(gradientGraph(), of: parts, options: options)
            plan = new
            return new
        }
        var feed = feed(inputs)
        let width = parts.graph.shape(of: points.scores).last
        var seeds = [Float](repeating: 0, count: batchSize * width)
        for (row, label) in classes.enumerated().prefix(batchSize) {
            if points.isBinary {
                seeds[row] = label == 0 ? -1 : 1
            } else if label < width {
                seeds[row * width + label] = 1
            }
        }
        feed[Self.seeds] = Tensor(seeds, shape: [batchSize, width])
        return try plan.run(feed)[0].prefix(rows: inputs[0].shape[0])
    }

    private func feed(_ inputs: [Tensor]) -> [String: Tensor] {
        let padded = inputs.map { $0.padded(toRows: batchSize) }
        return Dictionary(zip(parts.inputNames, padded)) { first, _ in first }
    }

    private static func featureGraph(_ graph: Graph, _ points: ExplanationPoints) throws -> Graph {
        let scope = GraphScope(graph)
        var features = graph.inputOfFirstProduct(behind: points.map, before: points.scores)
        if let map = points.map, features.map({ graph.shape(of: $0).last > widestFeatures }) ?? true {
            features = try scope[map].reduced(.mean, axes: Array(1..<(graph.shape(of: map).rank - 1))).id
        }
        scope.graph.outputs = [graph.outputs[0], features ?? points.scores]
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
    /// What the first matrix product with a row an example multiplies, of those behind the map; `nil` where there is none.
    fileprivate func inputOfFirstProduct(behind map: ValueID?, before scores: ValueID) -> ValueID? {
        let batch = shape(of: outputs[0])[0]
        for index in nodes.indices where index > map?.index ?? -1 && index <= scores.index {
            guard case .product = nodes[index].operation, let operand = nodes[index].operands.first else { continue }
            let shape = shape(of: operand)
            if shape.rank == 2, shape[0] == batch { return operand }
        }
        return nil
    }
}
