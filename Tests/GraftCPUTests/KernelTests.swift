import CKernels
import GraftCPU
import GraftTestSupport
import Testing

/// Graft's own kernels on cases whose results are known by hand, and on sizes around their vectors and blocks.
@Suite struct KernelTests {
    // MARK: Random numbers

    @Test(arguments: [1, 3, 4, 63, 64, 65, 1000, 70_001])
    func randomNumbersAreTheStreams(count: Int) throws {
        var graph = Graph()
        graph.outputs = [try graph.randomUniform(stream: 0x1_0000_0007, [count])]
        let key: UInt64 = 0xDEAD_BEEF_0123_4567
        let stream = RandomStream(key: key, stream: 0x1_0000_0007)
        let numbers = try CPUPlan(graph).run([:], randomKey: key)[0].scalars
        #expect(numbers == (0..<count).map { stream.uniform(at: $0) })
    }

    // MARK: Threads

    @Test(arguments: [0, 1, 2, 7], [true, false])
    func everyPartIsRunOnce(parts: Int, withOpenMP: Bool) {
        var counts = [Int32](repeating: 0, count: max(parts, 1))
        counts.withUnsafeMutableBufferPointer { counts in
            let run = withOpenMP ? graft_parallel : graft_parallel_without_openmp
            run(
                Int32(parts),
                { context, part in context?.assumingMemoryBound(to: Int32.self)[Int(part)] += 1 },
                counts.baseAddress)
        }
        #expect(counts.prefix(parts).allSatisfy { $0 == 1 })
    }

    @Test func everyPartIsRunOnceWhetherThreadsSpinOrSleep() {
        graft_set_thread_count(3)
        for round in 0..<12 {
            graft_oversubscribe(round % 3 != 2)
            everyPartIsRunOnce(parts: 5, withOpenMP: true)
        }
    }

    // MARK: Reductions

    @Test(arguments: [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], []])
    func reductionsOverAnyAxesAgreeWithTheInterpreter(axes: [Int]) throws {
        let shape: Shape = [5, 37, 19]
        var random = SplitMix(seed: 7)
        let values = ReferenceArray((0..<shape.elementCount).map { _ in random.number() }, shape: shape)
        for function in ReductionFunction.allCases {
            var graph = Graph()
            let x = try graph.input("x", shape)
            graph.outputs = [try graph.add(.reduction(Reduction(function, axes: axes)), [x])]
            let expected = try Interpreter.run(graph, inputs: ["x": values], variables: [:], randomKey: 0)
            for threads in 1...3 {
                let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
                // Sums are exact to the last rounding: they are accumulated in 64 bits.
                try expectClose(plan.run(["x": values.tensor])[0], expected.outputs[0], tolerance: 1e-7)
            }
        }
    }

    @Test func sumsOfMillionsLoseNothing() throws {
        let count = 3_000_001
        var graph = Graph()
        let x = try graph.input("x", [count])
        graph.outputs = [try graph.reduce(.sum, x, axes: [0], keepDimensions: false)]
        let result = try CPUPlan(graph).run(["x": Tensor(repeating: 0.1, shape: [count])])[0][0]
        #expect(result == Float(Double(Float(0.1)) * Double(count)))
    }

    // MARK: Pooling

    @Test func theFirstOfEqualElementsGetsTheGradient() throws {
        var graph = Graph()
        let x = try graph.input("x", [1, 2, 4, 1])
        let gradient = try graph.input("g", [1, 1, 2, 1])
        let window = Window(size: 2, strides: 2)
        graph.outputs = [try graph.add(.pooling(.maxPoolingGradient(window)), [x, gradient])]
        let result = try CPUPlan(graph).run([
            "x": Tensor([1, 1, 2, 5, 1, 1, 5, 5], shape: [1, 2, 4, 1]),
            "g": Tensor([10, 20], shape: [1, 1, 2, 1]),
        ])
        #expect(result[0].scalars == [10, 0, 0, 20, 0, 0, 0, 0])
    }

    @Test func averagesLeaveThePaddingOut() throws {
        var graph = Graph()
        let x = try graph.input("x", [1, 2, 2, 1])
        let window = Window(size: 3, strides: 1, padding: EdgePadding(top: 1, bottom: 1, left: 1, right: 1))
        graph.outputs = [try graph.averagePool(x, window)]
        let result = try CPUPlan(graph).run(["x": Tensor([1, 2, 3, 6], shape: [1, 2, 2, 1])])
        #expect(result[0].scalars == [3, 3, 3, 3])
    }

    @Test(arguments: [1, 15, 16, 17, 70])
    func poolingWorksForEveryNumberOfChannels(channels: Int) throws {
        var random = SplitMix(seed: UInt64(channels))
        let (shape, window) = (
            Shape([2, 7, 6, channels]),
            Window(
                size: Size2D(3, 2), strides: Size2D(2, 1), padding: EdgePadding(top: 1, bottom: 1, left: 1))
        )
        let result = try window.resultShape(input: shape)
        var graph = Graph()
        let (x, g) = (try graph.input("x", shape), try graph.input("g", result))
        graph.outputs = [
            try graph.maxPool(x, window), try graph.averagePool(x, window),
            try graph.add(.pooling(.maxPoolingGradient(window)), [x, g]),
            try graph.add(.pooling(.averagePoolingGradient(window, input: shape)), [g]),
        ]
        let inputs = ["x": random.array(shape), "g": random.array(result)]
        let expected = try Interpreter.run(graph, inputs: inputs, variables: [:], randomKey: 0).outputs
        for threads in 1...3 {
            let actual = try CPUPlan(graph, options: CPUOptions(threads: threads)).run(inputs.mapValues(\.tensor))
            for (actual, expected) in zip(actual, expected) { expectClose(actual, expected, tolerance: 1e-6) }
        }
    }

    // MARK: Products

    /// Around eight rows of the kernel, blocks of 1,024 of them and panels of 512 columns.
    @Test(arguments: [(1, 32_771, 32), (20, 2049, 544), (64, 1030, 1024), (3, 8192, 128)])
    func fewRowsTimesALargeMatrixAgreeWithTheInterpreter(rows: Int, inner: Int, columns: Int) throws {
        var graph = Graph()
        let (x, w) = (try graph.input("x", [rows, inner]), try graph.input("w", [inner, columns]))
        let product = try graph.matrixProduct(x, w)
        graph.outputs = [try graph.unary(.relu, graph.binary(.add, product, graph.input("b", [columns])))]
        // Whole numbers up to 8, so that all sums are exact.
        func numbers(_ shape: Shape, _ factor: Int) -> Tensor {
            Tensor((0..<shape.elementCount).map { Float($0 * factor % 17 - 8) }, shape: shape)
        }
        let inputs = [
            "x": numbers([rows, inner], 7), "w": numbers([inner, columns], 5), "b": numbers([columns], 3),
        ]
        let picked = (0..<rows * columns).filter { $0 % 97 == 0 }
        let expected = try picked.map { position in
            let (x, w, b) = (try #require(inputs["x"]), try #require(inputs["w"]), try #require(inputs["b"]))
            let (row, column) = (position / columns, position % columns)
            return x.withUnsafeBuffer { x in
                w.withUnsafeBuffer { w in
                    max(0, (0..<inner).reduce(b[column]) { $0 + x[row * inner + $1] * w[$1 * columns + column] })
                }
            }
        }
        for threads in 1...3 {
            let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
            #expect(plan.report.implementations["graft:product"] == 1)
            let result = try plan.run(inputs)[0].scalars
            #expect(picked.map { result[$0] } == expected)
        }
    }

    /// Around five rows of the left side, four of the matrix and vectors of sixteen.
    @Test(arguments: [(1, 1024, 1030), (20, 129, 8192), (64, 1031, 1021), (7, 4096, 259)])
    func fewRowsTimesTheTransposeOfALargeMatrixAgreeWithThePlainSum(rows: Int, inner: Int, columns: Int) throws {
        var graph = Graph()
        let (x, w) = (try graph.input("x", [rows, inner]), try graph.input("w", [columns, inner]))
        graph.outputs = [try graph.matrixProduct(x, w, transposeRight: true)]
        // Whole numbers up to 8, so that all sums are exact.
        let left = (0..<rows * inner).map { Float($0 * 7 % 17 - 8) }
        let right = (0..<columns * inner).map { Float($0 * 5 % 17 - 8) }
        let inputs = [
            "x": Tensor(left, shape: [rows, inner]), "w": Tensor(right, shape: [columns, inner]),
        ]
        let picked = (0..<rows * columns).filter { $0 % 61 == 0 }
        let expected = picked.map { position in
            let (row, column) = (position / columns * inner, position % columns * inner)
            return (0..<inner).reduce(Float(0)) { $0 + left[row + $1] * right[column + $1] }
        }
        for threads in 1...3 {
            let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
            #expect(plan.report.implementations["graft:row product"] == 1)
            let result = try plan.run(inputs)[0].scalars
            #expect(picked.map { result[$0] } == expected)
        }
    }

    // MARK: Programs

    @Test(arguments: [1, 15, 16, 17, 511, 512, 513, 5000, 70_000])
    func programsWorkForEveryNumberOfElements(count: Int) throws {
        var graph = Graph()
        let (x, y) = (try graph.input("x", [count]), try graph.input("y", [1]))
        graph.outputs = [try graph.binary(.add, graph.binary(.multiply, x, x), y)]
        let numbers = (0..<count).map { Float($0 % 1000) }
        let inputs = ["x": Tensor(numbers, shape: [count]), "y": Tensor([3], shape: [1])]
        for threads in 1...3 {
            let result = try CPUPlan(graph, options: CPUOptions(threads: threads)).run(inputs)[0]
            #expect(result.scalars == numbers.map { $0 * $0 + 3 })
        }
    }

    static let broadcasts: [(result: [Int], operand: [Int])] = [
        ([3, 4, 50], [50]), ([3, 4, 50], [4, 1]), ([3, 4, 50], [3, 1, 1]), ([3, 4, 50], [3, 1, 50]),
        ([3, 4, 50], [1, 4, 50]), ([600, 3], [600, 1]), ([600, 3], [3]), ([2, 3, 4, 5, 6], [2, 1, 4, 1, 6]),
        ([7, 1, 9], [7, 1, 1]),
    ]

    @Test(arguments: broadcasts)
    func operandsAreBroadcastAlongAnyAxes(_ result: [Int], _ operand: [Int]) throws {
        let (result, operand) = (Shape(result), Shape(operand))
        var random = SplitMix(seed: 3)
        let inputs = ["x": random.array(result), "y": random.array(operand)]
        var graph = Graph()
        let (x, y) = (try graph.input("x", result), try graph.input("y", operand))
        graph.outputs = [try graph.binary(.subtract, x, y), try graph.broadcast(y, to: result)]
        let expected = try Interpreter.run(graph, inputs: inputs, variables: [:], randomKey: 0).outputs
        let actual = try CPUPlan(graph).run(inputs.mapValues(\.tensor))
        for (actual, expected) in zip(actual, expected) { expectClose(actual, expected, tolerance: 1e-6) }
    }
}
