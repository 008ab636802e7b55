import GraftRuntime

extension MachineLimits {
    /// Measures, for about a third of a second and with some 150 MB: the best of several runs of a large matrix product
    /// and of a 3 × 3 convolution, the latter in bfloat16 too where the processor has it, and of an array of 128 MB that is
    /// read and written in place.
    ///
    /// - Throws: `GraftError` with code `backend` where the memory is not there.
    public static func measured(threads: Int? = nil) throws(GraftError) -> MachineLimits {
        let options = CPUOptions(threads: threads)
        let bfloat16 = CPUOptions(threads: threads, precision: .bfloat16)
        return MachineLimits(
            flopsPerSecond: max(try products(options), try convolutions(options)),
            bfloat16FlopsPerSecond: CPUOptions.supportsBFloat16 ? try convolutions(bfloat16) : nil,
            bytesPerSecond: try memory(options))
    }

    private static func products(_ options: CPUOptions) throws(GraftError) -> Double {
        var graph = Graph()
        let size = 1024
        let (x, y) = (try graph.input("x", [size, size]), try graph.input("y", [size, size]))
        graph.outputs = [try graph.matrixProduct(x, y)]
        let plan = try CPUPlan(graph, options: options)
        let ones = Tensor(repeating: 1, shape: [size, size])
        let work = graph[graph.outputs[0]].operation.flopCount(
            of: [[size, size], [size, size]], result: [size, size])
        return try Double(work) / fastest(plan, ["x": ones, "y": ones], runs: 8)
    }

    /// Three in a row, so that conversions at both ends count little; with a number of channels for which the plan takes oneDNN,
    /// since Winograd's filtering multiplies less.
    private static func convolutions(_ options: CPUOptions) throws(GraftError) -> Double {
        var graph = Graph()
        let (image, kernel): (Shape, Shape) = ([8, 36, 36, 144], [3, 3, 144, 144])
        let w = try graph.constant(Tensor(repeating: 1 / 1024, shape: kernel))
        let x = try graph.input("x", image)
        var (y, work) = (x, 0)
        for _ in 0..<3 {
            let shapes = [graph.shape(of: y), kernel]
            y = try graph.convolution(y, kernel: w, Convolution())
            work += graph[y].operation.flopCount(of: shapes, result: graph.shape(of: y))
        }
        graph.outputs = [y]
        let plan = try CPUPlan(graph, options: options)
        return try Double(work) / fastest(plan, ["x": Tensor(repeating: 1, shape: image)], runs: 4)
    }

    private static func memory(_ options: CPUOptions) throws(GraftError) -> Double {
        var graph = Graph()
        let (id, shape): (VariableID, Shape) = (VariableID(0), [1 << 25])
        let next = try graph.binary(.add, graph.variable(id, shape), graph.constant(1))
        graph.updates = [Graph.Update(variable: id, value: next)]
        let plan = try CPUPlan(graph, options: options)
        try plan.bind([id: Tensor(repeating: 0, shape: shape)])
        return try Double(2 * shape.elementCount * MemoryLayout<Float>.stride) / fastest(plan, [:], runs: 5)
    }

    /// The seconds of the fastest run, after one that warms up.
    private static func fastest(
        _ plan: CPUPlan, _ inputs: [String: Tensor], runs: Int
    ) throws(GraftError) -> Double {
        _ = try plan.run(inputs)
        let clock = Timeline()
        var best = Double.infinity
        for _ in 0..<runs {
            let start = clock.now
            _ = try plan.run(inputs)
            best = min(best, clock.now - start)
        }
        return max(best, 1e-9)
    }
}
