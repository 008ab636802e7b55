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
    /// Axis 0 of every input is the batch.
    ///
    /// - Parameter changing: variables whose values change while the model trains, beyond those that the graph itself
    ///   updates.
    /// - Returns: the two graphs, or `nil` where there is no trunk.
    public func splittingTrunk(changing: Set<VariableID>) throws(GraftError) -> TrunkSplit? {
        let changing = changing.union(updates.map(\.variable))
        let cut = GraphCut(graph: self, isFirst: perExampleValues(changing)) { $0.rule.isCheapToRepeat }
        let features = cut.crossingValues()
        guard features.contains(where: { !self[$0].operation.isLeaf }) else { return nil }
        let (trunk, rest) = try cut.split(at: features, inputPrefix: "feature")
        return TrunkSplit(trunk: trunk, rest: rest)
    }

    /// By value: whether its element i along axis 0 is a function of example i of the model's inputs and of nothing
    /// else that changes.
    private func perExampleValues(_ changing: Set<VariableID>) -> [Bool] {
        let isFixed = descends { $0.operation.isGivenByRun || $0.operation.reads(oneOf: changing) }.map { !$0 }
        var isPerExample: [Bool] = []
        for node in nodes {
            if case .leaf(.input(_, let shape)) = node.operation {
                isPerExample.append(shape.rank > 0)
            } else {
                let operands = node.operands.map { operand in
                    ExampleOperand(
                        shape: shape(of: operand), isPerExample: isPerExample[operand.index],
                        isFixed: isFixed[operand.index])
                }
                isPerExample.append(
                    operands.contains(where: \.isPerExample)
                        && operands.allSatisfy { $0.isPerExample || $0.isFixed }
                        && node.operation.rule.keepsExamplesApart(operands, result: node.shape))
            }
        }
        return isPerExample
    }
}

extension Operation {
    /// Whether it is one of these variables.
    fileprivate func reads(oneOf variables: Set<VariableID>) -> Bool {
        if case .leaf(.variable(let id, _)) = self { variables.contains(id) } else { false }
    }
}
