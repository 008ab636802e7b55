import GraftGraph
import GraftModel

/// A model lowered for one batch size and one mode, and parted where what stays the same while it trains ends.
package struct ModelParts: Sendable {
    /// The part that runs at every step: its inputs are ``inputNames``, its outputs are the model's, and behind them what
    /// layers add to the loss.
    package let graph: Graph
    /// The inputs of ``graph``, in the order of the tensors that a source gives for them.
    package let inputNames: [String]
    /// The part that runs once per image, from the model's inputs to features; `nil` where the whole model runs at
    /// every step.
    package let trunk: Graph?
    /// The names of the model's own inputs, in order.
    package let modelInputNames: [String]
    /// `VariableID(i)` is `variables[i]` in both parts.
    package let variables: [Variable]
    private let lossCount: Int

    /// The model's outputs among those of ``graph``.
    package var outputs: [ValueID] { Array(graph.outputs.dropLast(lossCount)) }
    /// What layers add to the loss, each a scalar: the last outputs of ``graph``.
    package var losses: [ValueID] { Array(graph.outputs.suffix(lossCount)) }

    /// Splits a lowered model.
    ///
    /// - Parameter changing: the variables that training changes; `nil` where nothing is split off.
    package init(_ lowered: LoweredModel, changing: Set<Variable>? = nil) throws {
        (variables, modelInputNames) = (lowered.variables, lowered.inputNames)
        lossCount = lowered.lossCount
        let folded = try lowered.graph.foldingNormalization()
        let identifiers = lowered.variables.enumerated().compactMap { position, variable in
            changing?.contains(variable) == true ? VariableID(position) : nil
        }
        guard changing != nil, let split = try folded.splittingTrunk(changing: Set(identifiers)), split.isWorthKeeping
        else {
            (graph, trunk, inputNames) = (folded, nil, lowered.inputNames)
            return
        }
        (graph, trunk) = (split.rest, split.trunk)
        inputNames = split.trunk.outputs.indices.map(TrunkSplit.inputName)
    }

    /// A model all of which runs once per image: its outputs are the features.
    package init(keeping lowered: LoweredModel) throws {
        (variables, modelInputNames, lossCount) = (lowered.variables, lowered.inputNames, lowered.lossCount)
        graph = try lowered.graph.foldingNormalization().pruned()
        trunk = graph
        inputNames = graph.outputs.indices.map(TrunkSplit.inputName)
    }

    /// The current values of the variables that a graph reads.
    package func values(readBy graph: Graph) -> [VariableID: Tensor] {
        Dictionary(graph.readVariables.map { ($0, variables[$0.rawValue].value) }) { first, _ in first }
    }
}

extension Graph {
    /// The variables that some node reads, each once.
    package var readVariables: [VariableID] {
        var seen: Set<VariableID> = []
        return nodes.compactMap { node in
            guard case .leaf(.variable(let id, _)) = node.operation, seen.insert(id).inserted else { return nil }
            return id
        }
    }
}
