/// What layers need while they lower to operations: the graph that grows, the mode, and the variables met so far.
public struct LoweringContext {
    /// The graph that layers add to.
    public var graph = Graph()
    /// Whether layers such as ``Dropout`` act as in training.
    public internal(set) var training: Bool
    /// Whether a frozen model holds the layer that lowers.
    var isFrozen = false
    /// The variables met so far; `VariableID(i)` is the one at position `i`.
    public private(set) var variables: [Variable] = []
    /// What layers add to the loss beside that of the targets, each a scalar.
    var losses: [ValueID] = []
    private var identifiers: [Variable: VariableID] = [:]
    private var nextStream: UInt64 = 0

    /// An empty context.
    package init(training: Bool) { self.training = training }

    /// A variable's value at the start of the run.
    public mutating func value(of variable: Variable) throws(GraftError) -> ValueID {
        try graph.variable(identifier(of: variable), variable.shape)
    }

    /// The number that represents a variable in the graph.
    package mutating func identifier(of variable: Variable) -> VariableID {
        if let identifier = identifiers[variable] { return identifier }
        let identifier = VariableID(variables.count)
        variables.append(variable)
        identifiers[variable] = identifier
        return identifier
    }

    /// Writes a value back to a variable when a run is done. The last update of a variable holds.
    public mutating func update(_ variable: Variable, to value: ValueID) {
        let identifier = identifier(of: variable)
        graph.updates.removeAll { $0.variable == identifier }
        graph.updates.append(Graph.Update(variable: identifier, value: value))
    }

    /// The number of the next random stream; a model's layers draw from streams of their own.
    public mutating func nextRandomStream() -> UInt64 {
        defer { nextStream += 1 }
        return nextStream
    }
}

extension LoweringContext {
    /// Adds what a layer's outputs add to the loss, divided by the number of examples.
    ///
    /// Source: keras/src/layers/layer.py, `__call__`.
    mutating func addActivityLoss(_ regularizer: Regularizer, of outputs: [ValueID]) throws(GraftError) {
        for output in outputs {
            guard let loss = try regularizer.lower(output, in: &graph) else { continue }
            try losses.append(graph.binary(.divide, loss, Float(graph.shape(of: output)[0])))
        }
    }
}

/// A model as a graph, for one batch size and one mode.
package struct LoweredModel: Sendable {
    /// The graph: its inputs bear the names of the model's input layers, its outputs are the model's, and its updates
    /// are those of moving statistics.
    package var graph: Graph
    /// The names of the inputs, in the model's order.
    package var inputNames: [String]
    /// The values of the outputs, in the model's order.
    package var outputs: [ValueID]
    /// How many outputs the graph has behind the model's: what layers add to the loss, each a scalar.
    package var lossCount = 0
    /// `VariableID(i)` in the graph is `variables[i]`.
    package var variables: [Variable]
}
