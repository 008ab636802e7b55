import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// A graph for one batch size, and what its inputs, outputs and variables mean: a training step, or the evaluation of a
/// batch.
struct StepProgram: Sendable {
    static let targets = "target.0"
    static let weights = "weight"

    /// Outputs: the loss, then each metric's statistic; in an evaluation the predictions after them.
    let graph: Graph
    /// The inputs that a source's tensors are for.
    let inputNames: [String]
    /// The model's variables that the graph reads or writes.
    let variables: [VariableID: Variable]
    /// The optimizer's arrays that the graph reads and writes.
    let slots: [VariableID: SlotAddress]

    /// An array that an optimizer keeps beside a variable.
    struct SlotAddress: Hashable, Sendable {
        let variable: Variable
        let index: Int
        let slot: OptimizerSlot
        let elementType: ElementType
    }

    /// A training step: the mean loss, its gradients and the updates of all that training changes.
    ///
    /// - Parameters:
    ///   - trainable: the variables that the optimizer changes.
    ///   - targetShape: the shape of an example's target.
    ///   - isWeighted: whether the examples have weights, given at each run.
    static func training(
        _ parts: ModelParts, _ trainable: Set<Variable>, _ compilation: Compilation, targetShape: Shape,
        isWeighted: Bool = false
    ) throws -> StepProgram {
        let scope = GraphScope(parts.graph)
        let (predictions, targets) = try endpoints(scope, targetShape)
        let weights = isWeighted ? try scope.input(weights, [predictions.shape[0]]) : nil
        var loss = try compilation.loss.mean(predictions, targets, weights: weights)
        if let penalty = try scope.penalty(of: parts.variables, trainable) { loss = try loss + penalty }
        let statistics = try compilation.metrics.map { try $0.statistic(predictions, targets) }
        let slots = try addUpdates(to: scope, minimizing: loss, parts, trainable, compilation)
        scope.graph.outputs = ([loss] + statistics).map(\.id)
        return try StepProgram(scope.graph, parts, slots)
    }

    /// The evaluation of a batch: the sum of the examples' losses, each with the model's penalties as in Keras, and the
    /// predictions by choice.
    static func evaluation(
        _ parts: ModelParts, _ trainable: Set<Variable>, _ loss: Loss, _ metrics: [Metric], targetShape: Shape,
        withPredictions: Bool = false
    ) throws -> StepProgram {
        let scope = GraphScope(parts.graph)
        let (predictions, targets) = try endpoints(scope, targetShape)
        var total = try loss.perExample(predictions, targets).reduced(.sum)
        if let penalty = try scope.penalty(of: parts.variables, trainable) {
            total = try total + Float(predictions.shape[0]) * penalty
        }
        let statistics = try metrics.map { try $0.statistic(predictions, targets) }
        scope.graph.outputs = ([total] + statistics + (withPredictions ? [predictions] : [])).map(\.id)
        return try StepProgram(scope.graph, parts, [:])
    }

    private init(_ graph: Graph, _ parts: ModelParts, _ slots: [VariableID: SlotAddress]) throws {
        self.graph = try graph.pruned()
        (inputNames, self.slots) = (parts.inputNames, slots)
        let read = self.graph.readVariables + self.graph.updates.map(\.variable)
        let own = read.filter { $0.rawValue < parts.variables.count }
        variables = Dictionary(own.map { ($0, parts.variables[$0.rawValue]) }) { first, _ in first }
    }

    private static func endpoints(
        _ scope: GraphScope, _ targetShape: Shape
    ) throws -> (predictions: GraphValue, targets: GraphValue) {
        guard let output = scope.graph.outputs.first, scope.graph.outputs.count == 1 else {
            throw GraftError(
                .argument,
                "the model has \(scope.graph.outputs.count) outputs; fit and evaluate take models with one output, "
                    + "predict takes any")
        }
        let predictions = scope[output]
        let shape = targetShape.inBatch(of: predictions.shape[0])
        return (predictions, try scope.input(targets, shape))
    }

    /// Adds gradients and the optimizer's updates for the trainable variables that the graph reads.
    private static func addUpdates(
        to scope: GraphScope, minimizing loss: GraphValue, _ parts: ModelParts, _ trainable: Set<Variable>,
        _ compilation: Compilation
    ) throws -> [VariableID: SlotAddress] {
        let identifiers = scope.graph.readVariables.filter { trainable.contains(parts.variables[$0.rawValue]) }.sorted()
        let values = try identifiers.map { try scope.variable($0, parts.variables[$0.rawValue].shape) }
        let gradients = try scope.graph.gradients(of: loss.id, withRespectTo: values.map(\.id))
        let optimizer = OptimizerProgram(compilation.optimizer)
        let types = optimizer.slots.indices.map(optimizer.elementType(ofSlot:))
        var addresses: [VariableID: SlotAddress] = [:]
        var targets: [OptimizerProgram.Target] = []
        var slots: [[VariableID]] = []
        for ((identifier, value), gradient) in zip(zip(identifiers, values), gradients) {
            let variable = parts.variables[identifier.rawValue]
            let first = parts.variables.count + addresses.count
            slots.append(optimizer.slots.indices.map { VariableID(first + $0) })
            for (index, slot) in optimizer.slots.enumerated() {
                addresses[VariableID(first + index)] = SlotAddress(
                    variable: variable, index: index, slot: slot, elementType: types[index])
            }
            targets.append(
                OptimizerProgram.Target(
                    name: variable.name, path: variable.path, value: value, gradient: scope[gradient],
                    slots: try zip(slots[slots.count - 1], types).map {
                        try scope.variable($0, value.shape, as: $1)
                    }))
        }
        let updates = try optimizer.updates(of: targets, in: scope)
        for ((identifier, slots), update) in zip(zip(identifiers, slots), updates) {
            scope.graph.updates.append(Graph.Update(variable: identifier, value: update.value.id))
            for (index, (slot, value)) in zip(slots, update.slots).enumerated() {
                let stored = try scope.stored(value, as: types[index], slot: index, of: identifier)
                scope.graph.updates.append(Graph.Update(variable: slot, value: stored))
            }
        }
        return addresses
    }
}

extension GraphScope {
    /// The next value of an optimizer's array as it is stored.
    ///
    /// What is rounded by chance has random bits of its own: a stream for each slot of each of the model's variables, beyond
    /// the streams of its layers.
    fileprivate func stored(
        _ value: GraphValue, as type: ElementType, slot index: Int, of variable: VariableID
    ) throws(GraftError) -> ValueID {
        guard type == .bfloat16 else { return value.id }
        let stream = UInt64(1) << 63 | UInt64(variable.rawValue) << 8 | UInt64(index)
        return try graph.roundStochastically(value.id, stream: stream)
    }
}
