import CKernels
import GraftTestSupport
import Testing

@testable import GraftCPU

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Dense layers whose inputs are mostly zeros.
    @Suite struct SparseInputTests {
        static let rows = 8205

        /// Inputs of which a share is zero; some inner positions are zero in all rows.
        static func inputs(_ shape: Shape, zeros: Double, _ random: inout SplitMix) -> [Float] {
            let dead = (0..<shape[1]).map { _ in Double.random(in: 0..<1, using: &random) < zeros / 2 }
            return (0..<shape.elementCount).map { index in
                let isZero = dead[index % shape[1]] || Double.random(in: 0..<1, using: &random) < zeros
                return isZero ? 0 : Float.random(in: -1...1, using: &random)
            }
        }

        // MARK: Products

        /// The tolerance is that of 32-bit sums of some 8,000 products, each at most 1.
        @Test(arguments: [0.3, 0.9, 1], 0..<Int(graft_instruction_set_count()))
        func aProductLeavesOutZerosAlone(zeros: Double, instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            var random = SplitMix(seed: 1)
            for (count, columns) in [(1, 160), (20, 128), (64, 32)] {
                let left = Self.inputs([count, Self.rows], zeros: zeros, &random)
                let right = random.array([Self.rows, columns]).tensor.scalars
                let results = try product(left, right, count: count, columns: columns)
                var expected = [Double](repeating: 0, count: count * columns)
                for row in 0..<count {
                    for inner in 0..<Self.rows where left[row * Self.rows + inner] != 0 {
                        for column in 0..<columns {
                            expected[row * columns + column] +=
                                Double(left[row * Self.rows + inner]) * Double(right[inner * columns + column])
                        }
                    }
                }
                for (result, value) in zip(results, expected) { #expect(abs(Double(result) - value) < 1e-4) }
            }
        }

        /// A row of the kernel that meets nothing but zeros is not read: what stands there does not matter.
        @Test func rowsThatMeetZerosAreNotRead() throws {
            var random = SplitMix(seed: 2)
            var left = [Float](repeating: 0, count: 2 * Self.rows)
            for inner in stride(from: 0, to: Self.rows, by: 3) {
                left[inner] = Float.random(in: -1...1, using: &random)
            }
            let right = random.array([Self.rows, 32]).tensor.scalars
            var damaged = right
            for inner in 0..<Self.rows where inner % 3 != 0 {
                for column in 0..<32 { damaged[inner * 32 + column] = .nan }
            }
            let expected = try product(left, right, count: 2, columns: 32)
            #expect(try product(left, damaged, count: 2, columns: 32) == expected)
        }

        private func product(_ left: [Float], _ right: [Float], count: Int, columns: Int) throws -> [Float] {
            var results = [Float](repeating: .nan, count: count * columns)
            try left.withUnsafeBufferPointer { left in
                try right.withUnsafeBufferPointer { right in
                    try results.withUnsafeMutableBufferPointer { results in
                        var product = graft_skinny_nn()
                        (product.rows, product.inner) = (Int64(count), Int64(Self.rows))
                        (product.columns, product.left) = (Int64(columns), left.baseAddress)
                        (product.right, product.target) = (right.baseAddress, results.baseAddress)
                        let scratch = try Memory(byteCount: graft_skinny_nn_scratch_size(&product))
                        graft_run_skinny_nn(&product, scratch.base, 2)
                    }
                }
            }
            return results
        }

        // MARK: Updates

        /// A dense layer's kernel with the state of RMSprop, trained by plans of one or the other kind.
        struct Training {
            static let (examples, columns) = (20, 128)
            var epsilon: Float = 1e-7
            /// What the state is stored as; bfloat16 is rounded by chance.
            var state = ElementType.float32
            /// Whether the state is an output, too, so that it cannot wait.
            var showsState = false
            /// Whether the examples come packed.
            var isPacked = false

            func plan() throws -> CPUPlan {
                var graph = Graph()
                let x = try graph.input("x", [Self.examples, rows])
                let y = try graph.input("y", [Self.examples, Self.columns])
                let w = try graph.variable(VariableID(0), [rows, Self.columns])
                let v = try graph.variable(VariableID(1), [rows, Self.columns], as: state)
                let loss = try graph.reduce(.sum, graph.binary(.multiply, graph.matrixProduct(x, w), y))
                let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
                let mean = try graph.binary(
                    .add, graph.binary(.multiply, graph.constant(0.9), v),
                    graph.binary(.multiply, graph.constant(0.1), graph.unary(.square, gradient)))
                let change = try graph.binary(
                    .divide, graph.binary(.multiply, graph.input("rate", []), gradient),
                    graph.unary(.squareRoot, graph.binary(.add, mean, graph.constant(epsilon))))
                let kept = state == .bfloat16 ? try graph.roundStochastically(mean, stream: 5) : mean
                graph.updates = [
                    .init(variable: VariableID(1), value: kept),
                    .init(variable: VariableID(0), value: try graph.binary(.subtract, w, change)),
                ]
                graph.outputs = showsState ? [loss, try graph.cast(kept, to: .float32)] : [loss]
                var options = CPUOptions(threads: 2)
                options.bitmapInputs = isPacked ? ["x"] : []
                let plan = try CPUPlan(graph, options: options)
                #expect(plan.bitmapInputs == options.bitmapInputs)
                let isLazy = plan.report.lazyUpdates == (showsState ? 0 : 1)
                #expect(isLazy)
                try plan.bind(start())
                return plan
            }

            /// The kernel and the state before the first step, drawn once: a million elements each.
            private static let start: (kernel: Tensor, state: Tensor) = {
                var random = SplitMix(seed: 3)
                let squares = random.array([rows, columns]).values.map { Float(abs($0)) }
                return (random.array([rows, columns]).tensor, Tensor(squares, shape: [rows, columns]))
            }()

            private func start() -> [VariableID: Tensor] {
                [VariableID(0): Self.start.kernel, VariableID(1): Self.start.state.stored(as: state)]
            }

            /// Batches with other zeros each, and one without any.
            static let batches: [[String: Tensor]] = {
                var random = SplitMix(seed: 4)
                return (0..<6).map { index in
                    let x = inputs([examples, rows], zeros: index == 2 ? 0 : 0.9, &random)
                    return [
                        "x": Tensor(x, shape: [examples, rows]), "y": random.array([examples, columns]).tensor,
                        "rate": Tensor(0.01),
                    ]
                }
            }()
        }

        /// Whether two plans have the same bits in both variables; the state of one may be stored in fewer.
        private func isSame(_ plan: CPUPlan, _ other: CPUPlan) throws -> Bool {
            try [0, 1].allSatisfy { number in
                let values = try [plan, other].map { try #require($0.value(of: VariableID(number))) }
                return haveSameBits(values[0], values[1])
            }
        }

        /// Against a plan that has to write its state out at every step.
        @Test(
            arguments: [
                (false, ElementType.float32, false), (true, .float32, false), (false, .bfloat16, false),
                (true, .bfloat16, false), (true, .float32, true), (false, .bfloat16, true),
            ],
            0..<Int(graft_instruction_set_count()))
        func rowsThatWaitEndWithTheSameBits(
            _ training: (knowsNext: Bool, state: ElementType, isPacked: Bool), instructionSet: Int
        ) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            let plan = try Training(state: training.state, isPacked: training.isPacked).plan()
            let eager = try Training(state: training.state, showsState: true).plan()
            let batches = Training.batches
            let feeds = try batches.map { try plan.feed($0, compressing: training.isPacked ? ["x"] : []) }
            var weights: [Tensor] = []
            for (index, batch) in batches.enumerated() {
                let next = training.knowsNext && index + 1 < batches.count ? feeds[index + 1] : nil
                let key = UInt64(index)
                let losses = try [
                    plan.run(feeds[index], next: next, randomKey: key)[0], eager.run(batch, randomKey: key)[0],
                ]
                #expect(losses[0] == losses[1])
                // Whoever asks for the weights alone leaves the state waiting, while the next step writes elsewhere.
                if index == 1 {
                    weights = try [plan, eager].map { try #require($0.value(of: VariableID(0))) }
                    let isSame = haveSameBits(weights[0], weights[1])
                    #expect(isSame)
                }
                // Asked for in the middle, the state is up to date, and the steps after that are written elsewhere.
                if index == 3 {
                    let isSame = try self.isSame(plan, eager)
                    #expect(isSame)
                }
            }
            let isSame = try self.isSame(plan, eager)
            #expect(isSame)
            withExtendedLifetime(weights) {}
        }

        /// More steps than can be counted, with random bits of their own each where some are needed.
        @Test(arguments: [ElementType.float32, .bfloat16])
        func aRowMayWaitForLong(state: ElementType) throws {
            let plan = try Training(state: state).plan(), eager = try Training(state: state, showsState: true).plan()
            var batch = Training.batches[0]
            for step in 0..<520 {
                if step == 515 { batch = Training.batches[1] }
                let key = UInt64(step)
                _ = (try plan.run(batch, randomKey: key), try eager.run(batch, randomKey: key))
            }
            let isSame = try self.isSame(plan, eager)
            #expect(isSame)
        }

        /// Infinity times zero is no number, in rows of zeros as well.
        @Test func whatIsNotFiniteReachesRowsOfZeros() throws {
            let plan = try Training().plan()
            let batches = Training.batches
            _ = try plan.run(batches[0])
            var y = [Float](repeating: 1, count: Training.examples * Training.columns)
            y[5] = .infinity
            _ = try plan.run(batches[1].merging(["y": Tensor(y, shape: [Training.examples, Training.columns])]) { $1 })
            let weights = try #require(plan.value(of: VariableID(0))).scalars
            #expect((0..<Self.rows).allSatisfy { weights[$0 * Training.columns + 5].isNaN })
            #expect((0..<Self.rows).allSatisfy { weights[$0 * Training.columns + 6].isFinite })
        }

        /// Where the output's gradient of an example is zero, so is what the example teaches, unless it is not finite.
        @Test func whatIsNotFiniteIsSeenWithoutAGradient() throws {
            let plan = try Training().plan()
            let (batch, width) = (Training.batches[0], Training.columns)
            var (x, y) = (try #require(batch["x"]).scalars, try #require(batch["y"]).scalars)
            for column in 0..<width { y[3 * width + column] = 0 }
            x[3 * Self.rows + 100] = .infinity
            x[3 * Self.rows + 200] = .nan
            _ = try plan.run([
                "x": Tensor(x, shape: [Training.examples, Self.rows]),
                "y": Tensor(y, shape: [Training.examples, width]), "rate": Tensor(0.01),
            ])
            let weights = try #require(plan.value(of: VariableID(0))).scalars
            for row in 0..<Self.rows {
                #expect((0..<width).allSatisfy { weights[row * width + $0].isNaN == (row == 100 || row == 200) })
            }
        }

        /// Without an ε, a row of zeros whose state is zero becomes 0 / 0, as in every other framework.
        @Test func withoutAnEpsilonNothingWaits() throws {
            let plan = try Training(epsilon: 0).plan()
            try plan.bind([
                VariableID(0): Tensor(repeating: 1, shape: [Self.rows, Training.columns]),
                VariableID(1): Tensor(repeating: 0, shape: [Self.rows, Training.columns]),
            ])
            let batch = Training.batches[0]
            _ = try plan.run(batch)
            _ = try plan.run(batch)
            let inputs = try #require(batch["x"]).scalars
            let weights = try #require(plan.value(of: VariableID(0))).scalars
            for row in 0..<Self.rows {
                let isDead = (0..<Training.examples).allSatisfy { inputs[$0 * Self.rows + row] == 0 }
                #expect(weights[row * Training.columns].isNaN == isDead)
            }
        }
    }
}
