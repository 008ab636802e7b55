import GraftGraph

/// A small network of the shape of real ones, as a training step: two convolutions with batch normalization, branches
/// that are concatenated, a pooled head with dropout, softmax cross-entropy, and RMSprop.
package struct SampleNetwork {
    /// Whether each part trains.
    package enum Training: Sendable { case nothing, head, everything }

    /// The graph: its first output is the loss, its second the head's logits.
    package var graph = Graph()
    /// A value for each variable.
    package private(set) var variables: [VariableID: ReferenceArray] = [:]
    /// The variables that train, in order.
    package private(set) var trained: [VariableID] = []
    /// A value for each input.
    package let inputs: [String: ReferenceArray]
    /// The number of examples.
    package let batchSize: Int
    private var random: SplitMix
    private let training: Training

    /// The network of a seed.
    package init(seed: UInt64, batchSize: Int = 3, training: Training = .everything) throws {
        random = SplitMix(seed: seed)
        self.batchSize = batchSize
        self.training = training
        let labels = (0..<batchSize * 4).map { $0 % 4 == $0 / 4 % 4 ? 1.0 : 0.0 }
        inputs = [
            "image": random.array([batchSize, 9, 9, 3]), "label": ReferenceArray(labels, shape: [batchSize, 4]),
        ]
        let features = try trunk(graph.input("image", [batchSize, 9, 9, 3]))
        let logits = try head(features)
        let loss = try crossEntropy(logits)
        graph.outputs = [loss, logits]
        if training != .nothing { try addUpdates(of: loss) }
    }

    /// What the reference interpreter makes of a graph on this network's values: its own, or what a pass made of it.
    package func run(_ graph: Graph? = nil) throws -> Interpreter.Results {
        try Interpreter.run(graph ?? self.graph, inputs: inputs, variables: variables, randomKey: 7)
    }

    private mutating func variable(_ shape: Shape, trains: Bool, positive: Bool = false) throws -> ValueID {
        let id = VariableID(variables.count)
        var array = random.array(shape)
        array.values = array.values.map { positive ? abs($0) : $0 * 0.3 }
        variables[id] = array
        if trains { trained.append(id) }
        return try graph.variable(id, shape)
    }

    private mutating func trunk(_ image: ValueID) throws -> ValueID {
        let scaled = try graph.binary(.subtract, graph.binary(.multiply, image, 0.5), 0.25)
        let stem = try block(scaled, kernel: [3, 3, 3, 4], Convolution(strides: Size2D(2)), name: "stem")
        let padding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1)
        let branches = try [
            block(stem, kernel: [1, 1, 4, 2], Convolution(), name: "branch1"),
            block(stem, kernel: [3, 3, 4, 3], Convolution(padding: padding), name: "branch3"),
            block(
                graph.averagePool(stem, Window(size: Size2D(3), strides: Size2D(1), padding: padding)),
                kernel: [1, 1, 4, 2], Convolution(), name: "pool"),
        ]
        graph.currentLabel = "mixed"
        return try graph.concatenate(branches, axis: -1)
    }

    /// Convolution, batch normalization with stored statistics as layers lower it, relu.
    private mutating func block(
        _ input: ValueID, kernel: Shape, _ convolution: Convolution, name: String
    ) throws -> ValueID {
        graph.currentLabel = name
        let trains = training == .everything
        let channels = Shape([kernel.last])
        let kernel = try variable(kernel, trains: trains)
        let gamma = try variable(channels, trains: trains, positive: true)
        let beta = try variable(channels, trains: trains)
        let mean = try variable(channels, trains: false)
        let variance = try variable(channels, trains: false, positive: true)
        let deviation = try graph.unary(.reciprocalSquareRoot, graph.binary(.add, variance, 1e-3))
        let scale = try graph.binary(.multiply, gamma, deviation)
        let shift = try graph.binary(.subtract, beta, graph.binary(.multiply, mean, scale))
        let result = try graph.convolution(input, kernel: kernel, convolution)
        return try graph.unary(.relu, graph.binary(.add, graph.binary(.multiply, result, scale), shift))
    }

    /// Flatten, dense with relu, dropout, dense.
    private mutating func head(_ features: ValueID) throws -> ValueID {
        graph.currentLabel = "head"
        let count = graph.shape(of: features).elementCount / batchSize
        let trains = training != .nothing
        let flat = try graph.reshape(features, to: [batchSize, count])
        let hidden = try graph.binary(
            .add, graph.matrixProduct(flat, variable([count, 6], trains: trains)), variable([6], trains: trains))
        let active = try graph.unary(.relu, hidden)
        let kept = try graph.binary(.greaterOrEqual, graph.randomUniform(stream: 1, [batchSize, 6]), 0.25)
        let dropped = try graph.binary(.multiply, graph.binary(.multiply, active, kept), 1 / 0.75)
        return try graph.binary(
            .add, graph.matrixProduct(dropped, variable([6, 4], trains: trains)), variable([4], trains: trains))
    }

    private mutating func crossEntropy(_ logits: ValueID) throws -> ValueID {
        graph.currentLabel = "loss"
        let label = try graph.input("label", [batchSize, 4])
        let product = try graph.binary(.multiply, label, graph.logSoftmax(logits))
        return try graph.unary(.negate, graph.reduce(.mean, graph.reduce(.sum, product, axes: [-1])))
    }

    /// RMSprop: `v' = ρ v + (1 − ρ) g²`, `w' = w − η g / √(v' + ε)`.
    private mutating func addUpdates(of loss: ValueID) throws {
        let ids = trained
        let values = try ids.map { id throws in try graph.variable(id, variables[id]?.shape ?? []) }
        let gradients = try graph.gradients(of: loss, withRespectTo: values)
        graph.currentLabel = "optimizer"
        for (id, (value, gradient)) in zip(ids, zip(values, gradients)) {
            let state = VariableID(variables.count)
            let mean = try variable(graph.shape(of: value), trains: false, positive: true)
            let next = try graph.binary(
                .add, graph.binary(.multiply, mean, 0.9),
                graph.binary(.multiply, graph.unary(.square, gradient), 0.1))
            let step = try graph.binary(
                .divide, graph.binary(.multiply, gradient, 0.01),
                graph.unary(.squareRoot, graph.binary(.add, next, 1e-7)))
            graph.updates.append(Graph.Update(variable: state, value: next))
            try graph.updates.append(Graph.Update(variable: id, value: graph.binary(.subtract, value, step)))
        }
    }
}
