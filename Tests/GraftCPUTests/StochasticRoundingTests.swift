import CKernels
import GraftTestSupport
import Testing

@testable import GraftCPU

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Rounding by chance in kernels, and variables of bfloat16 in plans.
    @Suite struct StochasticRoundingTests {
        /// Bits of all kinds: numbers, infinite ones, such as are none, and zeros.
        private static func strange(_ count: Int) -> [Float] {
            let stream = RandomStream(key: 3, stream: 4)
            let special: [UInt32] = [
                0, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7f80_0001, 0x7fc0_0000, 0xffff_ffff, 1,
            ]
            return (0..<count).map { position in
                Float(
                    bitPattern: position % 5 == 0 ? special[position / 5 % 8] : stream.words(block: UInt64(position)).0)
            }
        }

        @Test(arguments: 0..<Int(graft_instruction_set_count()), [1, 3])
        func kernelsRoundAsTheFormula(instructionSet: Int, threads: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            for count in [1, 15, 16, 531, 70_003] {
                var graph = Graph()
                let x = try graph.input("x", [count])
                let rounded = try graph.roundStochastically(x, stream: 1 << 63 | 9)
                graph.outputs = [try graph.cast(rounded, to: .float32)]
                let numbers = Self.strange(count)
                let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
                let result = try plan.run(["x": Tensor(numbers, shape: [count])], randomKey: 77)[0].scalars
                let rounding = StochasticRounding(key: 77, stream: 1 << 63 | 9)
                let expected = numbers.enumerated().map { rounding.rounded($1, at: $0).bitPattern }
                let isSame = result.map(\.bitPattern) == expected
                #expect(isSame)
            }
        }

        /// A variable that nothing computes with: rounded anew at each run, not once for a binding.
        @Test func whatDependsOnNoInputIsRoundedAtEachRun() throws {
            var graph = Graph()
            let w = try graph.variable(VariableID(0), [256])
            graph.outputs = [try graph.cast(graph.roundStochastically(w, stream: 0), to: .float32)]
            let plan = try CPUPlan(graph)
            try plan.bind([VariableID(0): Tensor(repeating: 1.003, shape: [256])])
            let first = try plan.run([:], randomKey: 1)
            #expect(try plan.run([:], randomKey: 2) != first)
            #expect(try plan.run([:], randomKey: 1) == first)
        }

        /// RMSprop on `sum((x · w) ⊙ y)`, its mean of squares of bfloat16.
        static func rmsprop(examples: Int, _ shape: Shape) throws -> Graph {
            var graph = Graph()
            let (x, y) = (
                try graph.input("x", [examples, shape[0]]), try graph.input("y", [examples, shape[1]])
            )
            let w = try graph.variable(VariableID(0), shape)
            let v = try graph.variable(VariableID(1), shape, as: .bfloat16)
            let loss = try graph.reduce(.sum, graph.binary(.multiply, graph.matrixProduct(x, w), y))
            let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
            let next = try graph.binary(
                .add, graph.binary(.multiply, graph.constant(0.9), v),
                graph.binary(.multiply, graph.constant(0.1), graph.unary(.square, gradient)))
            let scaled = try graph.binary(.multiply, graph.constant(0.01), gradient)
            let root = try graph.unary(.squareRoot, graph.binary(.add, next, graph.constant(1e-7)))
            graph.updates = [
                .init(
                    variable: VariableID(0),
                    value: try graph.binary(.subtract, w, graph.binary(.divide, scaled, root))),
                .init(variable: VariableID(1), value: try graph.roundStochastically(next, stream: 5)),
            ]
            graph.outputs = [loss]
            return graph
        }

        @Test(arguments: [(3, 5, 65), (20, 7, 1024), (4, 33, 512), (5, 4, 2070)], 1...3)
        func aFusedUpdateAgreesWithTheInterpreter(_ size: (Int, Int, Int), threads: Int) throws {
            let (examples, shape) = (size.0, [size.1, size.2] as Shape)
            let graph = try Self.rmsprop(examples: examples, shape)
            let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
            #expect(plan.report.fusedGradients == 1)
            #expect(plan.report.updatesInPlace == 2)
            var random = SplitMix(seed: 5)
            let inputs = [
                "x": random.array([examples, shape[0]]), "y": random.array([examples, shape[1]]),
            ]
            let squares = random.array(shape).values.map { $0 * $0 + 0.1 }
            let state = ReferenceArray(squares, shape: shape).tensor.stored(as: .bfloat16)
            let w = random.array(shape)
            let expected = try Interpreter.run(
                graph, inputs: inputs, variables: [VariableID(0): w, VariableID(1): ReferenceArray(state)],
                randomKey: 31)
            try plan.bind([VariableID(0): w.tensor, VariableID(1): state])
            _ = try plan.run(inputs.mapValues(\.tensor), randomKey: 31)
            // Sums of products of numbers near 1, rounded one by one.
            try expectClose(
                #require(plan.value(of: VariableID(0))), #require(expected.updates[VariableID(0)]), tolerance: 1e-5)
            let next = try #require(plan.value(of: VariableID(1)))
            #expect(next.elementType == .bfloat16)
            // Where sums of 32 and 64 bits fall on two sides of what is added, by one step: in a few of a thousand places.
            let wanted = try #require(expected.updates[VariableID(1)]).values
            let apart = next.scalars.indices.filter { Double(next[$0]) != wanted[$0] }
            #expect(apart.count <= shape.elementCount / 200)
            #expect(apart.allSatisfy { abs(Double(next[$0]) - wanted[$0]) <= 0x1p-7 * abs(wanted[$0]) })
        }

        @Test func noBitDependsOnThreads() throws {
            let graph = try Self.rmsprop(examples: 20, [130, 96])
            var random = SplitMix(seed: 8)
            let inputs = ["x": random.array([20, 130]).tensor, "y": random.array([20, 96]).tensor]
            let w = random.array([130, 96]).tensor
            func updated(threads: Int) throws -> [Tensor?] {
                let plan = try CPUPlan(graph, options: CPUOptions(threads: threads))
                #expect(plan.report.implementations["graft:gradient+rmsprop"] == 1)
                try plan.bind([VariableID(0): w, VariableID(1): Tensor(zeros: [130, 96], as: .bfloat16)])
                for step in 0..<5 { _ = try plan.run(inputs, randomKey: UInt64(step)) }
                return [plan.value(of: VariableID(0)), plan.value(of: VariableID(1))]
            }
            let alone = try updated(threads: 1)
            #expect(try updated(threads: 2) == alone)
            #expect(try updated(threads: 3) == alone)
        }

        @Test func stateThatSomebodySharesKeepsItsNumbers() throws {
            let graph = try Self.rmsprop(examples: 2, [8, 64])
            var random = SplitMix(seed: 9)
            let inputs = ["x": random.array([2, 8]).tensor, "y": random.array([2, 64]).tensor]
            let state = Tensor(repeating: 0.5, shape: [8, 64], as: .bfloat16)
            let plan = try CPUPlan(graph)
            try plan.bind([VariableID(0): random.array([8, 64]).tensor, VariableID(1): state])
            _ = try plan.run(inputs, randomKey: 1)
            let first = try #require(plan.value(of: VariableID(1)))
            let numbers = first.scalars
            _ = try plan.run(inputs, randomKey: 2)
            #expect(state.scalars.allSatisfy { $0 == 0.5 })
            #expect(first.scalars == numbers)
            #expect(plan.value(of: VariableID(1))?.scalars != numbers)
        }

        @Test func stateOfTheOtherTypeIsRefused() throws {
            let plan = try CPUPlan(Self.rmsprop(examples: 2, [8, 64]))
            let error = #expect(throws: GraftError.self) {
                try plan.bind([
                    VariableID(0): Tensor(zeros: [8, 64]), VariableID(1): Tensor(zeros: [8, 64]),
                ])
            }
            #expect(error?.message == "variable 1 was given numbers of float32, it is of bfloat16")
        }

        /// Two variables that change places: both are copied, with as many bytes as they have.
        @Test func updatesThatAreCopiesMoveWholeElements() throws {
            var graph = Graph()
            let (a, b) = (
                try graph.variable(VariableID(0), [1500], as: .bfloat16),
                try graph.variable(VariableID(1), [1500], as: .bfloat16)
            )
            graph.updates = [.init(variable: VariableID(0), value: b), .init(variable: VariableID(1), value: a)]
            let plan = try CPUPlan(graph)
            let numbers = (0..<1500).map { Float($0 % 256) }
            let (first, second) = (
                Tensor(numbers, shape: [1500]).stored(as: .bfloat16), Tensor(repeating: 3, shape: [1500], as: .bfloat16)
            )
            try plan.bind([VariableID(0): first, VariableID(1): second])
            _ = try plan.run([:])
            #expect(plan.value(of: VariableID(0)) == second)
            #expect(plan.value(of: VariableID(1)) == first)
        }
    }
}
