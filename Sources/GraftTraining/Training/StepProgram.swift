import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// A graph for one batch size, and what its inputs, outputs and variables mean: a training step, or the evaluation of a
/// batch.
struct StepProgram: Sendable {
    static let weights = "weight"
    /// The input for the targets of an output.
    static func target(_ output: Int) -> String { "target.\(output)" }

    /// Outputs: the loss, then ``Measures/values(terms:outputs:targets:)``; in an evaluation all predictions after them, by
    /// choice.
    let graph: Graph
    /// The inputs that a source's tensors are for.
    let inputNames: [String]
    /// How many targets an example has.
    let targetCount: Int
    /// The model's variables that the graph reads or writes.
    let variables: [VariableID: Variable]
    /// The optimizer's arrays that the graph reads and writes.
    let slots: [VariableID: SlotAddress]

    /// An array that an optimizer keeps for a variable.
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
    ///   - targetShapes: the shapes of an example's targets, one for each output.
    ///   - isWeighted: whether the examples have weights, given at each run.
    static func training(
        _ parts: ModelParts, _ trainable: Set<Variable>, _ compilation: Compilation, targetShapes: [Shape],
        isWeighted: Bool = false
    ) throws -> StepProgram {
        let scope = GraphScope(parts.graph)
        let (outputs, targets) = try endpoints(scope, parts, targetShapes)
        let weights = isWeighted ? try scope.input(weights, [outputs[0].shape[0]]) : nil
        let terms = try compilation.objective.perExample(outputs, targets).map { losses in
            try (weights.map { try $0 * losses } ?? losses).reduced(.mean)
        }
        var loss = try compilation.objective.sum(terms)
        if let added = try addedLoss(scope, parts, trainable) { loss = try loss + added }
        let measured = try compilation.measures.values(terms: terms, outputs: outputs, targets: targets)
        let slots = try addUpdates(to: scope, minimizing: loss, parts, trainable, compilation)
        scope.graph.outputs = ([loss] + measured).map(\.id)
        return try StepProgram(scope.graph, parts, slots, targetCount: targets.count)
    }

    /// The evaluation of a batch: the sum of the examples' losses, each with the model's penalties as in Keras, and the
    /// predictions by choice.
    static func evaluation(
        _ parts: ModelParts, _ trainable: Set<Variable>, _ objective: Objective, _ measures: Measures,
        targetShapes: [Shape], withPredictions: Bool = false
    ) throws -> StepProgram {
        let scope = GraphScope(parts.graph)
        let (outputs, targets) = try endpoints(scope, parts, targetShapes)
        let terms = try objective.perExample(outputs, targets).map { try $0.reduced(.sum) }
        var total = try objective.sum(terms)
        if let added = try addedLoss(scope, parts, trainable) {
            total = try total + Float(outputs[0].shape[0]) * added
        }
        let measured = try measures.values(terms: terms, outputs: outputs, targets: targets)
        scope.graph.outputs = ([total] + measured + (withPredictions ? outputs : [])).map(\.id)
        return try StepProgram(scope.graph, parts, [:], targetCount: targets.count)
    }

    private init(
        _ graph: Graph, _ parts: ModelParts, _ slots: [VariableID: SlotAddress], targetCount: Int
    ) throws {
        self.targetCount = targetCount
        self.graph = try graph.pruned()
        (inputNames, self.slots) = (parts.inputNames, slots)
        let read = self.graph.readVariables + self.graph.updates.map(\.variable)
        let own = read.filter { $0.rawValue < parts.variables.count }
        variables = Dictionary(own.map { ($0, parts.variables[$0.rawValue]) }) { first, _ in first }
    }

    /// A model's outputs, and an input for the targets of each.
    private static func endpoints(
        _ scope: GraphScope, _ parts: ModelParts, _ targetShapes: [Shape]
    ) throws -> (outputs: [GraphValue], targets: [GraphValue]) {
        let outputs = parts.outputs.map { scope[$0] }
        guard !outputs.isEmpty, targetShapes.count == outputs.count else {
            throw GraftError(
                .data,
                "the examples have \(targetShapes.count) targets and the model \(outputs.count) outputs; give a target for "
                    + "each output")
        }
        let targets = try zip(outputs, targetShapes).enumerated().map { place, pair in
            try scope.input(target(place), pair.1.inBatch(of: pair.0.shape[0]))
        }
        return (outputs, targets)
    }

    /// What is added to the loss of the targets: for the size of variables, and by layers for their outputs.
    private static func addedLoss(
        _ scope: GraphScope, _ parts: ModelParts, _ trainable: Set<Variable>
    ) throws -> GraphValue? {
        var sum = try scope.regularizationLoss(of: parts.variables, trainable)
        for loss in parts.losses { sum = try sum.map { try $0 + scope[loss] } ?? scope[loss] }
        return sum
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
                    }, constraint: variable.constraint))
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
    /// What is rounded stochastically has random bits of its own: a stream for each slot of each of the model's variables, beyond
    /// the streams of its layers.
    fileprivate func stored(
        _ value: GraphValue, as type: ElementType, slot index: Int, of variable: VariableID
    ) throws(GraftError) -> ValueID {
        guard type == .bfloat16 else { return value.id }
        let stream = UInt64(1) << 63 | UInt64(variable.rawValue) << 8 | UInt64(index)
        return try graph.roundStochastically(value.id, stream: stream)
    }
}
