import GraftGraph

/// A small random graph with values to run it on, all of them functions of a seed.
///
/// Values keep away from the kinks of functions and inside their domains, so that finite differences and 32-bit
/// arithmetic mean something.
package struct RandomGraph: Sendable, CustomStringConvertible {
    /// What all of it follows from.
    package let seed: UInt64
    /// The graph, with one to four outputs and perhaps updates.
    package var graph: Graph
    /// A value for each input.
    package let inputs: [String: ReferenceArray]
    /// A value for each variable.
    package let variables: [VariableID: ReferenceArray]
    /// The key of the run's random numbers.
    package let randomKey: UInt64

    /// The graph of a seed.
    ///
    /// - Parameters:
    ///   - count: how many operations it is made of at least, leaves not counted.
    ///   - kinds: what is chosen from, each as often as it is named.
    package init(seed: UInt64, operations count: Int = 8, of kinds: [OperationKind] = OperationKind.all) throws {
        var builder = RandomGraphBuilder(seed: seed)
        try builder.grow(by: count, of: kinds)
        try builder.finish()
        self.seed = seed
        graph = builder.graph
        inputs = builder.inputs
        variables = builder.variables
        randomKey = builder.randomKey
    }

    package var description: String { "random graph of seed \(seed)" }

    /// What the reference interpreter makes of a graph on these values: this graph, or what a pass made of it.
    package func run(_ graph: Graph? = nil) throws -> Interpreter.Results {
        try Interpreter.run(graph ?? self.graph, inputs: inputs, variables: variables, randomKey: randomKey)
    }

    /// The inputs in 32 bits, exactly.
    package var inputTensors: [String: Tensor] { inputs.mapValues(\.tensor) }

    /// The variables in 32 bits, exactly.
    package var variableTensors: [VariableID: Tensor] { variables.mapValues(\.tensor) }
}

/// Grows a random graph, one accepted operation after the other.
struct RandomGraphBuilder {
    var random: SplitMix
    let randomKey: UInt64
    var graph = Graph()
    var inputs: [String: ReferenceArray] = [:]
    var variables: [VariableID: ReferenceArray] = [:]
    /// The value of each node, in the order of the nodes.
    var values: [ReferenceArray] = []

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        randomKey = random.next()
    }

    /// Adds operations; one that leaves a domain, comes near a kink or grows too large is taken back and another tried.
    mutating func grow(by count: Int, of kinds: [OperationKind]) throws {
        for _ in 0..<count {
            let kind = random.pick(kinds)
            for _ in 0..<50 {
                let before = self
                if try add(kind), try evaluate() { break }
                let random = random
                self = before
                self.random = random
            }
        }
    }

    /// Outputs: every value that nobody reads, up to three, and sometimes one that somebody does; sometimes updates.
    mutating func finish() throws {
        let read = Set(graph.nodes.flatMap(\.operands))
        let all = graph.nodes.indices.map(ValueID.init(index:))
        let computed = all.filter { !graph[$0].operands.isEmpty }
        graph.outputs = Array(computed.filter { !read.contains($0) }.suffix(3))
        if graph.outputs.isEmpty { graph.outputs = Array(all.suffix(1)) }
        if random.chance(0.3), !computed.isEmpty { graph.outputs.append(random.pick(computed)) }
        for (position, output) in graph.outputs.enumerated() {
            graph.outputs[position] = try graph.cast(output, to: .float32)
        }
        guard random.chance(0.3) else { return }
        for (id, value) in variables.sorted(by: { $0.key < $1.key }) {
            let fitting = computed.filter {
                graph.shape(of: $0) == value.shape && graph[$0].elementType == .float32
            }
            if !fitting.isEmpty { graph.updates.append(Graph.Update(variable: id, value: random.pick(fitting))) }
        }
    }

    /// Computes the values of new nodes; `false` where one is not acceptable.
    private mutating func evaluate() throws -> Bool {
        for node in graph.nodes[values.count...] {
            let operands = node.operands.map { values[$0.index] }
            guard node.shape.elementCount <= 400, isSmooth(node, operands) else { return false }
            let value =
                switch node.operation {
                case .leaf(.input(let name, _)): inputs[name]
                case .leaf(.variable(let id, _)): variables[id]
                case .random(.uniform(let stream, let shape)): uniform(stream: stream, shape)
                default: Interpreter.result(of: node, operands)
                }
            guard let value, value.values.allSatisfy({ abs($0) <= 30 }) else { return false }
            values.append(value)
        }
        return true
    }

    private func uniform(stream: UInt64, _ shape: Shape) -> ReferenceArray {
        let stream = RandomStream(key: randomKey, stream: stream)
        return ReferenceArray((0..<shape.elementCount).map { Double(stream.uniform(at: $0)) }, shape: shape)
    }
}
