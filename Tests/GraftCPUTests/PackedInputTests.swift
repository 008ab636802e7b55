import CKernels
import GraftCPU
import GraftGraph
import GraftTestSupport
import Synchronization
import Testing

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Inputs that come with their rows packed.
    @Suite struct PackedInputTests {
        /// Not whole words of a mask, and large enough for products to be Graft's own.
        static let inner = 8205

        /// `relu(x · w + b)`; `x` comes with another shape, as features before a Flatten do.
        static func plan(rows: Int, columns: Int, threads: Int = 2, packed: Set<String>) throws -> CPUPlan {
            var graph = Graph()
            let x = try graph.input("x", [rows, 5, inner / 5])
            let flat = try graph.reshape(x, to: [rows, inner])
            let w = try graph.variable(VariableID(0), [inner, columns])
            let b = try graph.variable(VariableID(1), [columns])
            let product = try graph.matrixProduct(flat, w)
            graph.outputs = [try graph.unary(.relu, graph.binary(.add, product, b))]
            var options = CPUOptions(threads: threads)
            options.bitmapInputs = packed
            let plan = try CPUPlan(graph, options: options)
            let (kernel, bias) = weights(columns: columns)
            try plan.bind([VariableID(0): kernel, VariableID(1): bias])
            return plan
        }

        /// The kernel and the bias of so many columns, drawn once.
        private static func weights(columns: Int) -> (kernel: Tensor, bias: Tensor) {
            drawn.withLock { drawn in
                if let known = drawn[columns] { return known }
                var random = SplitMix(seed: 1)
                let new = (kernel: random.array([inner, columns]).tensor, bias: random.array([columns]).tensor)
                drawn[columns] = new
                return new
            }
        }

        private static let drawn = Mutex<[Int: (kernel: Tensor, bias: Tensor)]>([:])

        static func input(rows: Int, zeros: Double) -> Tensor {
            var random = SplitMix(seed: UInt64(rows))
            let numbers = SparseInputTests.inputs([rows, inner], zeros: zeros, &random)
            return Tensor(numbers, shape: [rows, 5, inner / 5])
        }

        /// Against the kernel for rows that are not packed, which takes up to 64 of them.
        @Test(arguments: [(1, 160), (3, 128), (20, 288), (40, 128)], 0..<Int(graft_instruction_set_count()))
        func noBitOfAProductDependsOnPacking(_ size: (rows: Int, columns: Int), instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            let plain = try Self.plan(rows: size.rows, columns: size.columns, packed: [])
            #expect(plain.bitmapInputs.isEmpty)
            let packed = try [1, 3].map {
                try Self.plan(rows: size.rows, columns: size.columns, threads: $0, packed: ["x"])
            }
            for zeros in [0, 0.9, 1] {
                let x = Self.input(rows: size.rows, zeros: zeros)
                let expected = try plain.run(["x": x])[0]
                // Whoever gives a plan the other form gets the same.
                for (plan, names) in packed.map({ ($0, ["x"]) }) + [(packed[0], []), (plain, ["x"])] {
                    let feed = try plan.feed(["x": x], compressing: Set(names))
                    let isSame = try haveSameBits(plan.run(feed)[0], expected)
                    #expect(isSame, "\(zeros)")
                }
            }
            for plan in packed { #expect(plan.bitmapInputs == ["x"]) }
        }

        /// More rows than a kernel for plain ones takes: each row is what it is on its own.
        @Test func manyRowsAreMultipliedAtOnce() throws {
            let (count, columns) = (150, 160)
            let x = Self.input(rows: count, zeros: 0.86)
            let many = try Self.plan(rows: count, columns: columns, packed: ["x"])
            let all = try many.run(many.feed(["x": x], compressing: ["x"]))[0].scalars
            let single = try Self.plan(rows: 1, columns: columns, packed: [])
            for row in [0, 63, 64, 149] {
                let numbers = Array(x.scalars[(row * Self.inner)..<((row + 1) * Self.inner)])
                let expected = try single.run(["x": Tensor(numbers, shape: [1, 5, Self.inner / 5])])[0].scalars
                // Sums of some 1,150 products, each at most 1, by blocks of another size.
                for (result, value) in zip(all[(row * columns)...], expected) { #expect(abs(result - value) < 1e-4) }
            }
        }

        @Test func anInputThatSomethingElseReadsIsNotTakenPacked() throws {
            var graph = Graph()
            let x = try graph.input("x", [3, Self.inner])
            let w = try graph.variable(VariableID(0), [Self.inner, 128])
            graph.outputs = [try graph.matrixProduct(x, w), try graph.reduce(.sum, x)]
            var options = CPUOptions(threads: 2)
            options.bitmapInputs = ["x", "nobody"]
            let plan = try CPUPlan(graph, options: options)
            #expect(plan.bitmapInputs.isEmpty)
            var random = SplitMix(seed: 1)
            try plan.bind([VariableID(0): random.array([Self.inner, 128]).tensor])
            let numbers = Tensor(
                SparseInputTests.inputs([3, Self.inner], zeros: 0.9, &random), shape: [3, Self.inner])
            let isSame = try plan.run(plan.feed(["x": numbers], compressing: ["x"])) == plan.run(["x": numbers])
            #expect(isSame)
        }

        @Test func aFeedIsReadByThePlanThatMadeItAlone() throws {
            let plans = try (0..<2).map { _ in try Self.plan(rows: 3, columns: 128, packed: ["x"]) }
            let feed = try plans[0].feed(["x": Self.input(rows: 3, zeros: 0.5)], compressing: [])
            let error = #expect(throws: GraftError.self) { try plans[1].run(feed) }
            #expect(error?.code == .argument && error?.message.contains("another plan") == true)
            let missing = #expect(throws: GraftError.self) { try plans[0].run(plans[0].feed([:])) }
            #expect(missing?.message.contains("no input 'x' of the shape (3, 5, 1641)") == true)
            let shape = #expect(throws: GraftError.self) { try plans[0].feed(["x": .dense(Tensor(zeros: [3, 1]))]) }
            #expect(shape?.code == .shape)
        }

        /// Rows of small matrices go to oneDNN, which reads plain ones.
        @Test func aSmallProductIsNotTakenPacked() throws {
            #expect(try Self.plan(rows: 3, columns: 64, packed: ["x"]).bitmapInputs.isEmpty)
            #expect(try Self.plan(rows: 3, columns: 130, packed: ["x"]).bitmapInputs.isEmpty)
        }
    }
}
