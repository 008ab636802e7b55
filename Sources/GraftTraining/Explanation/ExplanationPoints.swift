import GraftGraph
import GraftModel

/// The places of a lowered model that explanations look at.
struct ExplanationPoints {
    /// The last value with several positions an example: (batch, height, width, channels), or (batch, positions, channels);
    /// `nil` where there is none, as in a stack of dense layers.
    let map: ValueID?
    /// What reaches the last activation; the output where it has none.
    let scores: ValueID
    /// Whether the last activation is a sigmoid over one number: the score of class 1, and less than 0 for class 0.
    let isBinary: Bool

    /// Looks for them.
    ///
    /// - Parameters:
    ///   - graph: a model for one batch, with one output.
    ///   - layer: the layer whose map is meant; the last one where `nil`.
    ///   - inputsAreFeatures: whether the graph's inputs are what a trunk gave, so that they may be the map.
    /// - Throws: `GraftError` with code `argument` where the layer has no map that the output depends on.
    init(of graph: Graph, layer: String?, inputsAreFeatures: Bool) throws(GraftError) {
        guard let output = graph.outputs.first, graph.outputs.count == 1 else {
            throw GraftError(.argument, "only a model with one output can be explained")
        }
        scores = Self.scores(of: output, in: graph)
        isBinary = graph.shape(of: output).last == 1
        let candidates = graph.mapsBetweenInputAndOutput(output, inputsAreFeatures)
        guard let layer else {
            map = candidates.last
            return
        }
        let wanted = candidates.last { graph[$0].label == layer || graph[$0].label.hasSuffix("/\(layer)") }
        guard let wanted else {
            var names: [String] = []
            for value in candidates where !names.contains(graph[value].label) { names.append(graph[value].label) }
            throw GraftError(
                .argument,
                "there is no layer '\(layer)' with a map of several positions; there are \(names.suffix(8).joined(separator: ", "))"
            )
        }
        map = wanted
    }

    /// What the last activation is applied to: a sigmoid or a softmax, behind reshapes and casts.
    private static func scores(of output: ValueID, in graph: Graph) -> ValueID {
        var value = output
        while true {
            let node = graph[value]
            switch node.operation {
            case .softmax, .elementwise(.unary(.sigmoid)): return node.operands[0]
            case .movement where node.operands.count == 1 && node.shape == graph.shape(of: node.operands[0]):
                value = node.operands[0]
            default: return output
            }
        }
    }
}

extension Graph {
    /// The values that an input leads to, that lead to the output, and that have several positions an example, in order; inputs
    /// themselves where they are features.
    fileprivate func mapsBetweenInputAndOutput(_ output: ValueID, _ inputsAreFeatures: Bool) -> [ValueID] {
        var leads = [Bool](repeating: false, count: nodes.count)
        leads[output.index] = true
        for index in nodes.indices.reversed() where leads[index] {
            for operand in nodes[index].operands { leads[operand.index] = true }
        }
        var follows = [Bool](repeating: false, count: nodes.count)
        var batch = 0
        for (index, node) in nodes.enumerated() {
            if case .leaf(.input(_, let shape)) = node.operation {
                follows[index] = true
                batch = shape.dimensions.first ?? 0
            } else {
                follows[index] = node.operands.contains { follows[$0.index] }
            }
        }
        return nodes.indices.filter { index in
            let shape = nodes[index].shape
            guard leads[index], follows[index], nodes[index].elementType != .int32 else { return false }
            guard inputsAreFeatures || !nodes[index].operation.isLeaf else { return false }
            guard shape.rank == 3 || shape.rank == 4, shape[0] == batch else { return false }
            return shape.dimensions[1..<(shape.rank - 1)].reduce(1, *) > 1
        }.map { ValueID(index: $0) }
    }
}
