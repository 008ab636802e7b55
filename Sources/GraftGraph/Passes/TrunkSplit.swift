/// A graph divided into the trunk, whose features are the same each time an example comes by, and the rest.
public struct TrunkSplit: Sendable {
    /// From the model's inputs to the features, its outputs. Axis 0 of each is the batch, and an example's features
    /// depend on that example alone.
    public let trunk: Graph
    /// The whole graph's outputs and updates, from the inputs ``inputName(of:)`` in place of the features.
    public let rest: Graph

    /// The name of the input of ``rest`` that represents output `position` of ``trunk``.
    public static func inputName(of position: Int) -> String { "feature.\(position)" }

    /// The shapes of the features, batch included.
    public var featureShapes: [Shape] { trunk.outputs.map(trunk.shape(of:)) }

    /// Whether the trunk has a convolution or a matrix product; what it does without either is done again faster than
    /// it is kept.
    public var isWorthKeeping: Bool { trunk.nodes.contains { $0.operation.isProduct } }
}

extension Graph {
    /// Splits off the trunk: what depends on no variable that changes and on nothing random, and mixes no examples of a
    /// batch.
    ///
    /// The cut is made where the least has to be kept: a last reshape, repetition, pooling or elementwise function of one
    /// value belongs to the rest where the value before it is smaller or is a feature itself. Weights that both parts
    /// read are in both.
    ///
    /// Axis 0 of every input is the batch. A reshape may merge it with others and part it again: `Dense` over a sequence takes
    /// the positions of all examples for rows. As long as the rows of an example stay together, they are that example's.
    ///
    /// - Parameter changing: variables whose values change while the model trains, beyond those that the graph itself
    ///   updates.
    /// - Returns: the two graphs, or `nil` where there is no trunk.
    public func splittingTrunk(changing: Set<VariableID>) throws(GraftError) -> TrunkSplit? {
        let changing = changing.union(updates.map(\.variable))
        let batches = batches(changing)
        let cut = GraphCut(graph: self, isFirst: batches.map { $0 != nil }) {
            $0.rule.isCheapToRepeat
        } handedShape: {
            shape(of: $0).grouped(by: batches[$0.index])
        }
        let features = cut.crossingValues()
        guard features.contains(where: { !self[$0].operation.isLeaf }) else { return nil }
        let (trunk, rest) = try cut.split(at: features, inputPrefix: "feature")
        return TrunkSplit(trunk: trunk, rest: rest)
    }

    /// By value: how many examples its axis 0 holds, as many rows for each, where an example's rows are functions of that
    /// example and of nothing else that changes; `nil` where they are not.
    private func batches(_ changing: Set<VariableID>) -> [Int?] {
        let isFixed = descends { $0.operation.isGivenByRun || $0.operation.reads(oneOf: changing) }.map { !$0 }
        var batches: [Int?] = []
        for node in nodes {
            if case .leaf(.input(_, let shape)) = node.operation {
                batches.append(shape.dimensions.first)
            } else {
                batches.append(batch(of: node, batches, isFixed))
            }
        }
        return batches
    }

    /// The examples of a node's result, from those of its operands.
    private func batch(of node: Node, _ batches: [Int?], _ isFixed: [Bool]) -> Int? {
        let known = Set(node.operands.compactMap { batches[$0.index] })
        guard let batch = known.first, known.count == 1 else { return nil }
        if node.operation.isReshape { return node.shape.keepsTogether(batch) ? batch : nil }
        let operands = node.operands.map { operand in
            ExampleOperand(
                shape: shape(of: operand), isPerExample: batches[operand.index] != nil,
                isFixed: isFixed[operand.index])
        }
        let keeps =
            operands.allSatisfy { $0.isPerExample || $0.isFixed }
            && node.operation.rule.keepsExamplesApart(operands, result: node.shape)
        return keeps ? batch : nil
    }
}

extension Shape {
    /// Whether axis 0 has as many rows for each of so many examples.
    fileprivate func keepsTogether(_ batch: Int) -> Bool {
        guard let rows = dimensions.first else { return false }
        return rows == batch || (batch > 0 && rows.isMultiple(of: batch))
    }

    /// The same elements with an axis for the examples in front, where axis 0 has several rows of each.
    fileprivate func grouped(by batch: Int?) -> Shape {
        guard let batch, batch > 0, let rows = dimensions.first, rows != batch else { return self }
        return Shape([batch, rows / batch] + dimensions.dropFirst())
    }
}

extension Operation {
    /// Whether it is one of these variables.
    fileprivate func reads(oneOf variables: Set<VariableID>) -> Bool {
        if case .leaf(.variable(let id, _)) = self { variables.contains(id) } else { false }
    }
}
