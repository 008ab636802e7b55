import CKernels
import GraftCPU
import GraftTestSupport
import Testing

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Products that are computed along with the update before them.
    @Suite struct NextBatchOverlapTests {
        /// Rows and inner positions that are no multiples of eight; large enough for the product to be Graft's own.
        static let (rows, inner, columns) = (3, 8205, 128)

        /// A step of SGD on `sum((x · w) ⊙ y)`; the product is the output.
        static func plan(threads: Int, isPacked: Bool = false) throws -> CPUPlan {
            var graph = Graph()
            let (x, y) = (try graph.input("x", [rows, inner]), try graph.input("y", [rows, columns]))
            let w = try graph.variable(VariableID(0), [inner, columns])
            let product = try graph.matrixProduct(x, w)
            let loss = try graph.reduce(.sum, graph.binary(.multiply, product, y))
            let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
            let change = try graph.binary(.multiply, graph.constant(0.01), gradient)
            graph.updates = [.init(variable: VariableID(0), value: try graph.binary(.subtract, w, change))]
            graph.outputs = [product]
            var options = CPUOptions(threads: threads)
            options.bitmapInputs = isPacked ? ["x"] : []
            let plan = try CPUPlan(graph, options: options)
            #expect(plan.report.overlappedProducts == 1)
            #expect(plan.bitmapInputs == options.bitmapInputs)
            return plan
        }

        static func batches(_ count: Int) -> [[String: Tensor]] {
            var random = SplitMix(seed: 5)
            return (0..<count).map { _ in
                ["x": random.array([rows, inner]).tensor, "y": random.array([rows, columns]).tensor]
            }
        }

        static let start: [VariableID: Tensor] = {
            var random = SplitMix(seed: 6)
            return [VariableID(0): random.array([inner, columns]).tensor]
        }()

        /// The bits of all outputs and of the last weights; `next` says which batch a run is told of as the following one.
        private func bits(
            threads: Int, isPacked: Bool = false, next: (Int) -> Int?
        ) throws -> [[UInt32]] {
            let plan = try Self.plan(threads: threads, isPacked: isPacked)
            let feeds = try Self.batches(4).map { try plan.feed($0, compressing: isPacked ? ["x"] : []) }
            try plan.bind(Self.start)
            var bits: [[UInt32]] = []
            for (index, feed) in feeds.enumerated() {
                let output = try plan.run(feed, next: next(index).map { feeds[$0] })[0]
                bits.append(output.scalars.map(\.bitPattern))
            }
            bits.append(try #require(plan.value(of: VariableID(0))).scalars.map(\.bitPattern))
            return bits
        }

        @Test(arguments: 1...3, 0..<Int(graft_instruction_set_count()))
        func knowingTheNextInputChangesNoBit(threads: Int, instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            let unknown = try bits(threads: 1) { _ in nil }
            for isPacked in [false, true] {
                let known = try bits(threads: threads, isPacked: isPacked) { index in index < 3 ? index + 1 : nil }
                let isSame = known == unknown
                #expect(isSame, "\(isPacked ? "packed" : "plain")")
            }
            let packed = try bits(threads: threads, isPacked: true) { _ in nil }
            let isSamePacked = packed == unknown
            #expect(isSamePacked)
        }

        /// Some steps know nothing, as at the end of an epoch; one is told of another batch than the one that comes.
        @Test func anInputThatDoesNotComeChangesNoBit() throws {
            let unknown = try bits(threads: 2) { _ in nil }
            let partly = try bits(threads: 2) { index in index == 1 ? nil : (index + 1) % 4 }
            let isSame = partly == unknown
            #expect(isSame)
            let wrongly = try bits(threads: 2) { index in (index + 2) % 4 }
            let isStillSame = wrongly == unknown
            #expect(isStillSame)
        }

        @Test func otherVariablesForgetWhatWasComputedAhead() throws {
            let plan = try Self.plan(threads: 2)
            let feeds = try Self.batches(2).map { try plan.feed($0, compressing: []) }
            try plan.bind(Self.start)
            let first = try plan.run(feeds[1])[0]
            try plan.bind(Self.start)
            _ = try plan.run(feeds[0], next: feeds[1])
            try plan.bind(Self.start)
            let isSame = try plan.run(feeds[1])[0] == first
            #expect(isSame)
        }

        @Test func aWarmRunThatLooksAheadAllocatesNothing() throws {
            let plan = try Self.plan(threads: 2)
            let feeds = try Self.batches(4).map { try plan.feed($0, compressing: []) }
            try plan.bind(Self.start)
            _ = try plan.run(feeds[0], next: feeds[1])
            let allocations = plan.report.allocations
            _ = try plan.run(feeds[1], next: feeds[2])
            _ = try plan.run(feeds[2], next: feeds[3])
            #expect(plan.report.allocations == allocations)
        }
    }
}
