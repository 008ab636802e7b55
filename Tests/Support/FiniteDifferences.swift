import GraftGraph
import Testing

extension RandomGraph {
    /// The graph with one output, a scalar: every element of every output times a random weight, summed.
    ///
    /// Updates are dropped. Each element counts with a weight of its own, so that a permuted gradient shows.
    package func withLoss() throws -> (graph: Graph, loss: ValueID) {
        var graph = graph
        var random = SplitMix(seed: seed &+ 1)
        var loss = try graph.constant(0)
        for output in graph.outputs {
            let weights = try graph.constant(random.array(graph.shape(of: output)).tensor)
            loss = try graph.binary(.add, loss, graph.reduce(.sum, graph.binary(.multiply, output, weights)))
        }
        graph.outputs = [loss]
        graph.updates = []
        return (graph, loss)
    }

    /// Expects the gradients of a scalar with respect to all variables to agree with central differences in 64 bits.
    ///
    /// - Parameter directions: how many random directions through all variables together are tried; `nil` tries every
    ///   element of every variable.
    package func expectGradientsMatchFiniteDifferences(
        directions: Int?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var (graph, loss) = try withLoss()
        let ids = variables.keys.sorted()
        let values = try ids.map { id throws in try graph.variable(id, variables[id]?.shape ?? []) }
        let gradients = try graph.gradients(of: loss, withRespectTo: values)
        #expect(
            gradients.map(graph.shape(of:)) == values.map(graph.shape(of:)), "\(self)", sourceLocation: sourceLocation)
        graph.outputs = [loss] + gradients
        let results = try run(graph).outputs
        let slopes = Array(results.dropFirst())
        // The step's rounding error is about 1e-16 · loss / 1e-6, the formula's 1e-12 · third derivative; rules use
        // 32-bit constants such as 1/3, which are off by 3e-8.
        let scale = max(1, abs(results[0].values[0]), slopes.flatMap(\.values).lazy.map(abs).max() ?? 0)
        for direction in directionsToTry(directions, slopes) {
            let expected = try directionalDerivative(of: loss, along: direction)
            let actual = zip(slopes, direction).reduce(0) { $0 + dot($1.0, $1.1) }
            expectClose(
                actual / scale, expected / scale, tolerance: 2e-6, "\(self), loss \(results[0].values[0])",
                sourceLocation: sourceLocation)
        }
    }

    /// Random directions, or each element's own.
    private func directionsToTry(_ count: Int?, _ slopes: [ReferenceArray]) -> [[ReferenceArray]] {
        var random = SplitMix(seed: seed &+ 2)
        if let count { return (0..<count).map { _ in slopes.map { random.array($0.shape) } } }
        let zeros = slopes.map { ReferenceArray(shape: $0.shape) }
        return slopes.indices.flatMap { variable in
            slopes[variable].values.indices.map { position in
                var direction = zeros
                direction[variable].values[position] = 1
                return direction
            }
        }
    }

    /// `(f(x + h·d) − f(x − h·d)) / 2h`
    private func directionalDerivative(of loss: ValueID, along direction: [ReferenceArray]) throws -> Double {
        let step = 1e-6
        let graph = try withLoss().graph
        let ids = variables.keys.sorted()
        let (above, below) = try (value(at: step), value(at: -step))
        return (above - below) / (2 * step)

        func value(at distance: Double) throws -> Double {
            var moved = variables
            for (id, direction) in zip(ids, direction) {
                for position in direction.values.indices {
                    moved[id]?.values[position] += distance * direction.values[position]
                }
            }
            return try Interpreter.run(graph, inputs: inputs, variables: moved, randomKey: randomKey).outputs[0].values[
                0]
        }
    }
}

private func dot(_ left: ReferenceArray, _ right: ReferenceArray) -> Double {
    zip(left.values, right.values).reduce(0) { $0 + $1.0 * $1.1 }
}
