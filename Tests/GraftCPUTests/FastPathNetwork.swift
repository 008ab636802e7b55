import GraftGraph
import GraftTestSupport

@testable import GraftCPU

/// A small network that takes every fast path of the planner once thresholds are lowered: a frozen trunk with branches, convolutions
/// and dense layers that train, and one dense layer that does not in between.
struct FastPathNetwork {
    private(set) var graph = Graph()
    private(set) var variables: [VariableID: ReferenceArray] = [:]
    private(set) var inputs: [String: ReferenceArray] = [:]
    private var trained: [VariableID] = []
    private var random = SplitMix(seed: 17)

    /// A machine whose caches hold nothing of this network's matrices.
    static var machine: Machine {
        var machine = Machine.current
        machine.largeMatrix = 1 << 12
        return machine
    }

    /// The whole network: its loss and a step of RMSprop.
    static func step() throws -> FastPathNetwork {
        var network = FastPathNetwork()
        let features = try network.convolutions(network.trunk())
        let flat = try network.graph.reshape(features, to: [4, 1024])
        let hidden = try network.dense(flat, units: 128, trains: true)
        let frozen = try network.dense(hidden, units: 256, trains: false)
        try network.finish(network.dense(frozen, units: 64, trains: true))
        return network
    }

    /// A head on inputs of which most are zero, `x`.
    static func head() throws -> FastPathNetwork {
        var network = FastPathNetwork()
        let x = try network.graph.input("x", [4, 1024])
        network.inputs["x"] = network.sparseInputs()
        try network.finish(network.dense(x, units: 128, trains: true))
        return network
    }

    /// A sixth of the numbers of an array, in other places for each seed; the others are zero.
    mutating func sparseInputs() -> ReferenceArray {
        var array = random.array([4, 1024])
        for index in array.values.indices where !random.chance(1 / 6) { array.values[index] = 0 }
        return array
    }

    // MARK: Layers

    private mutating func variable(_ shape: Shape, scale: Double, trains: Bool) throws -> ValueID {
        let id = VariableID(variables.count)
        var array = random.array(shape)
        array.values = array.values.map { Double(Float($0 * scale)) }
        variables[id] = array
        if trains { trained.append(id) }
        return try graph.variable(id, shape)
    }

    private mutating func convolution(
        _ input: ValueID, size: Int, filters: Int, trains: Bool = false
    ) throws -> ValueID {
        let channels = graph.shape(of: input)[3]
        let kernel = try variable(
            [size, size, channels, filters], scale: 1 / Double(size * size * channels).squareRoot(), trains: trains)
        let edge = size / 2
        let padding = EdgePadding(top: edge, bottom: edge, left: edge, right: edge)
        return try graph.convolution(input, kernel: kernel, Convolution(padding: padding))
    }

    /// Three channels to branches: 3 × 3, 1 × 1, and average pooling before 1 × 1.
    private mutating func trunk() throws -> ValueID {
        let shape: Shape = [4, 8, 8, 3]
        inputs["image"] = random.array(shape)
        let stem = try graph.unary(.relu, convolution(graph.input("image", shape), size: 3, filters: 16))
        let window = Window(
            size: Size2D(3), strides: Size2D(1), padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))
        let pooled = try graph.averagePool(stem, window)
        let branches = [
            try graph.unary(.relu, convolution(stem, size: 3, filters: 32)),
            try graph.unary(.relu, convolution(stem, size: 1, filters: 16)),
            try graph.unary(.relu, convolution(pooled, size: 1, filters: 8)), try graph.maxPool(stem, window),
        ]
        return try graph.concatenate(branches, axis: 3)
    }

    /// Two that train, and a pooling.
    private mutating func convolutions(_ input: ValueID) throws -> ValueID {
        let first = try graph.unary(.tanh, convolution(input, size: 3, filters: 64, trains: true))
        let second = try graph.unary(.tanh, convolution(first, size: 3, filters: 64, trains: true))
        return try graph.averagePool(second, Window(size: Size2D(2), strides: Size2D(2)))
    }

    private mutating func dense(_ input: ValueID, units: Int, trains: Bool) throws -> ValueID {
        let count = graph.shape(of: input)[1]
        let kernel = try variable([count, units], scale: 1 / Double(count).squareRoot(), trains: trains)
        return try graph.unary(.tanh, graph.matrixProduct(input, kernel))
    }

    /// The loss, the mean of squares, and RMSprop of what trains.
    private mutating func finish(_ output: ValueID) throws {
        let loss = try graph.reduce(.mean, graph.unary(.square, output))
        graph.outputs = [loss, output]
        let values = try trained.map { id throws in try graph.variable(id, variables[id]?.shape ?? []) }
        let gradients = try graph.gradients(of: loss, withRespectTo: values)
        for (id, (value, gradient)) in zip(trained, zip(values, gradients)) {
            let state = VariableID(variables.count)
            variables[state] = ReferenceArray(
                Array(repeating: 0.25, count: graph.shape(of: value).elementCount), shape: graph.shape(of: value))
            let mean = try graph.variable(state, graph.shape(of: value))
            // In the order of the fused kernel's steps.
            let next = try graph.binary(
                .add, graph.binary(.multiply, graph.constant(0.9), mean),
                graph.binary(.multiply, graph.constant(0.1), graph.unary(.square, gradient)))
            let step = try graph.binary(
                .divide, graph.binary(.multiply, graph.constant(0.01), gradient),
                graph.unary(.squareRoot, graph.binary(.add, next, 1e-7)))
            graph.updates.append(Graph.Update(variable: state, value: next))
            try graph.updates.append(Graph.Update(variable: id, value: graph.binary(.subtract, value, step)))
        }
    }
}
