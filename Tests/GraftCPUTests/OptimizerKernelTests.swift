import CKernels
import GraftTestSupport
import Testing

@testable import GraftCPU

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Fused optimizer kernels against the interpreter of programs.
    @Suite struct OptimizerKernelTests {
        /// An update as the planner makes it from an optimizer's formula.
        struct Update: Sendable, CustomTestStringConvertible {
            let optimizer: String
            /// How many arrays come first, and numbers after them.
            let arrays: Int
            let numbers: Int
            /// The array that is the gradient.
            let gradient: Int
            let instructions: [ElementwiseProgram.Instruction]
            let outputs: [Int]

            var testDescription: String { optimizer }

            init(
                _ optimizer: String, arrays: Int, numbers: Int = 1, gradient: Int = 0,
                _ instructions: [ElementwiseProgram.Instruction], outputs: [Int]
            ) {
                (self.optimizer, self.arrays, self.numbers, self.gradient) = (optimizer, arrays, numbers, gradient)
                (self.instructions, self.outputs) = (instructions, outputs)
            }

            /// The arrays between the gradient and the weight.
            var state: [Int] { (0..<arrays - 1).filter { $0 != gradient } }

            /// - Parameter hasBFloat16State: whether the state is of bfloat16, rounded stochastically.
            func program(
                _ result: Shape, matchesOptimizers: Bool = true, hasBFloat16State: Bool = false
            ) throws -> CompiledProgram {
                var joined = JoinedProgram(
                    operandShapes: (0..<arrays + numbers).map { $0 < arrays ? result : [] })
                let program = ElementwiseProgram(operandCount: arrays + numbers, instructions: instructions)
                _ = joined.append(program, registers: Array(0..<arrays + numbers))
                joined.outputs = outputs
                if hasBFloat16State {
                    for operand in state where outputs.count > 1 { joined.operandTypes[operand] = .bfloat16 }
                    let bfloat16 = outputs.indices.map { $0 < outputs.count - 1 }
                    joined.outputTypes = bfloat16.map { $0 ? .bfloat16 : .float32 }
                    joined.roundingStreams = bfloat16.indices.map { bfloat16[$0] ? UInt64($0) : nil }
                }
                return try CompiledProgram(joined, result: result, matchesOptimizers: matchesOptimizers)
            }
        }

        static let updates = [
            Update(
                "descent", arrays: 2, [.binary(.multiply, 2, 0), .binary(.subtract, 1, 3)], outputs: [4]),
            Update(
                "momentum", arrays: 3,
                [
                    .binary(.multiply, 3, 0), .constant(0.9), .binary(.multiply, 5, 1), .binary(.subtract, 6, 4),
                    .binary(.add, 2, 7),
                ], outputs: [7, 8]),
            Update(
                "nesterov", arrays: 3,
                [
                    .binary(.multiply, 3, 0), .constant(0.9), .binary(.multiply, 5, 1), .binary(.subtract, 6, 4),
                    .binary(.multiply, 5, 7), .binary(.subtract, 8, 4), .binary(.add, 2, 9),
                ], outputs: [7, 10]),
            Update(
                "adagrad", arrays: 3,
                [
                    .unary(.square, 0), .binary(.add, 1, 4), .binary(.multiply, 3, 0), .constant(1e-7),
                    .binary(.add, 5, 7), .unary(.squareRoot, 8), .binary(.divide, 6, 9), .binary(.subtract, 2, 10),
                ], outputs: [5, 11]),
            Update(
                "rmsprop", arrays: 3,
                [
                    .constant(0.9), .binary(.multiply, 4, 1), .unary(.square, 0), .constant(0.1),
                    .binary(.multiply, 7, 6), .binary(.add, 5, 8), .binary(.multiply, 3, 0), .constant(1e-7),
                    .binary(.add, 9, 11), .unary(.squareRoot, 12), .binary(.divide, 10, 13), .binary(.subtract, 2, 14),
                ], outputs: [9, 15]),
            // The gradient is not the first operand; the two factors of 0.9 are one constant.
            Update(
                "rmsprop_momentum", arrays: 4, gradient: 1,
                [
                    .constant(0.9), .binary(.multiply, 5, 0), .unary(.square, 1), .constant(0.1),
                    .binary(.multiply, 8, 7), .binary(.add, 6, 9), .binary(.multiply, 4, 1), .constant(1e-7),
                    .binary(.add, 10, 12), .unary(.squareRoot, 13), .binary(.divide, 11, 14), .binary(.multiply, 5, 2),
                    .binary(.add, 16, 15), .binary(.subtract, 3, 17),
                ], outputs: [10, 17, 18]),
            Update(
                "adam", arrays: 4,
                [
                    .binary(.subtract, 0, 1), .constant(0.1), .binary(.multiply, 6, 5), .binary(.add, 1, 7),
                    .unary(.square, 0), .binary(.subtract, 9, 2), .constant(0.001), .binary(.multiply, 11, 10),
                    .binary(.add, 2, 12), .binary(.multiply, 4, 8), .unary(.squareRoot, 13), .constant(1e-7),
                    .binary(.add, 15, 16), .binary(.divide, 14, 17), .binary(.subtract, 3, 18),
                ], outputs: [8, 13, 19]),
            Update(
                "adamw", arrays: 4, numbers: 2,
                [
                    .binary(.subtract, 0, 1), .constant(0.1), .binary(.multiply, 7, 6), .binary(.add, 1, 8),
                    .unary(.square, 0), .binary(.subtract, 10, 2), .constant(0.001), .binary(.multiply, 12, 11),
                    .binary(.add, 2, 13), .binary(.multiply, 3, 4), .binary(.subtract, 3, 15), .binary(.multiply, 5, 9),
                    .unary(.squareRoot, 14), .constant(1e-7), .binary(.add, 18, 19), .binary(.divide, 17, 20),
                    .binary(.subtract, 16, 21),
                ], outputs: [9, 14, 22]),
            Update(
                "nadam", arrays: 4, numbers: 4,
                [
                    .binary(.subtract, 0, 1), .constant(0.1), .binary(.multiply, 9, 8), .binary(.add, 1, 10),
                    .unary(.square, 0), .binary(.subtract, 12, 2), .constant(0.001), .binary(.multiply, 14, 13),
                    .binary(.add, 2, 15), .binary(.multiply, 4, 11), .binary(.multiply, 5, 0), .binary(.add, 17, 18),
                    .binary(.multiply, 6, 19), .binary(.divide, 16, 7), .unary(.squareRoot, 21), .constant(1e-7),
                    .binary(.add, 22, 23), .binary(.divide, 20, 24), .binary(.subtract, 3, 25),
                ], outputs: [11, 16, 26]),
            Update(
                "lion", arrays: 3, gradient: 1,
                [
                    .constant(0.99), .binary(.multiply, 4, 0), .constant(0.01), .binary(.multiply, 6, 1),
                    .binary(.add, 5, 7), .constant(0.9), .binary(.multiply, 9, 0), .constant(0.1),
                    .binary(.multiply, 11, 1), .binary(.add, 10, 12), .unary(.sign, 13), .binary(.multiply, 3, 14),
                    .binary(.subtract, 2, 15),
                ], outputs: [8, 16]),
        ]

        @Test(arguments: updates)
        func everyUpdateMatchesTheOptimizerOfItsName(_ update: Update) throws {
            #expect(try update.program([3, 4]).optimizer == update.optimizer)
            #expect(try update.program([3, 4], hasBFloat16State: true).optimizer == update.optimizer)
            #expect(try update.program([3, 4], matchesOptimizers: false).optimizer == nil)
        }

        @Test func aProgramThatDiffersInOneStepIsInterpreted() throws {
            for update in Self.updates {
                for index in update.instructions.indices {
                    var instructions = update.instructions
                    guard case .binary(let function, let left, let right) = instructions[index] else { continue }
                    instructions[index] = .binary(function == .maximum ? .minimum : .maximum, left, right)
                    let other = Update(
                        update.optimizer, arrays: update.arrays, numbers: update.numbers, instructions,
                        outputs: update.outputs)
                    #expect(try other.program([3, 4]).optimizer == nil)
                }
            }
        }

        /// Kernels are compiled for bfloat16 in the state only, rounded stochastically.
        @Test func aProgramWithOtherTypesIsInterpreted() throws {
            for update in Self.updates where update.outputs.count > 1 {
                func optimizer(_ change: (inout JoinedProgram) -> Void) throws -> String? {
                    var joined = JoinedProgram(
                        operandShapes: (0..<update.arrays + update.numbers).map { $0 < update.arrays ? [3, 4] : [] })
                    let program = ElementwiseProgram(
                        operandCount: update.arrays + update.numbers, instructions: update.instructions)
                    _ = joined.append(program, registers: Array(0..<update.arrays + update.numbers))
                    joined.outputs = update.outputs
                    for operand in update.state { joined.operandTypes[operand] = .bfloat16 }
                    joined.outputTypes = update.outputs.indices.map {
                        $0 < update.outputs.count - 1 ? .bfloat16 : .float32
                    }
                    joined.roundingStreams = update.outputs.indices.map { $0 < update.outputs.count - 1 ? 0 : nil }
                    change(&joined)
                    return try CompiledProgram(joined, result: [3, 4]).optimizer
                }
                #expect(try optimizer { _ in } == update.optimizer)
                #expect(try optimizer { $0.operandTypes[update.gradient] = .bfloat16 } == nil)
                #expect(try optimizer { $0.operandTypes[update.arrays - 1] = .bfloat16 } == nil)
                #expect(try optimizer { $0.operandTypes[update.arrays] = .bfloat16 } == nil)
                #expect(try optimizer { $0.operandTypes[update.state[0]] = .float32 } == nil)
                #expect(try optimizer { $0.outputTypes[0] = .float32 } == nil)
                #expect(try optimizer { $0.roundingStreams = [] } == nil)
            }
        }

        /// Vectors and what is left of one, blocks, and a size that several threads share.
        @Test(arguments: updates, 0..<Int(graft_instruction_set_count()))
        func optimizersGiveTheInterpretersBits(_ update: Update, instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            for (count, isBFloat16) in [1, 16, 37, 5000, 70_001].flatMap({ [($0, false), ($0, true)] }) {
                let run = Run(update, [count], hasBFloat16State: isBFloat16)
                let compiled = try run.results(of: update.program([count], hasBFloat16State: isBFloat16))
                let interpreted = try run.results(
                    of: update.program([count], matchesOptimizers: false, hasBFloat16State: isBFloat16))
                let isSame = compiled == interpreted
                #expect(isSame)
            }
        }

        /// Rows that fill tiles of eight and rows that do not, shared by several threads; inputs without zeros, with rows
        /// of nothing else, examples without a gradient, and more examples than non-zero inputs are listed of.
        @Test(arguments: updates, 0..<Int(graft_instruction_set_count()))
        func optimizersOverAGradientGiveTheInterpretersBits(_ update: Update, instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            for (examples, shape) in [(1, [3, 64] as Shape), (20, [140, 96]), (7, [16, 544]), (70, [24, 160])] {
                for (zeros, isBFloat16) in [0, 0.5, 0.9].flatMap({ [($0, false), ($0, true)] }) {
                    let run = Run(update, shape, examples: examples, zeros: zeros, hasBFloat16State: isBFloat16)
                    let compiled = try run.results(of: update.program(shape, hasBFloat16State: isBFloat16))
                    let interpreted = try run.results(
                        of: update.program(shape, matchesOptimizers: false, hasBFloat16State: isBFloat16))
                    let isSame = compiled == interpreted
                    #expect(isSame)
                    let alone = try run.results(of: update.program(shape, hasBFloat16State: isBFloat16), threads: 1)
                    let isSameOnOneThread = alone == compiled
                    #expect(isSameOnOneThread)
                }
            }
        }

        /// A row is lazy where every example has a zero for it, whether it has a gradient or not.
        @Test(arguments: [false, true], 0..<Int(graft_instruction_set_count()))
        func rowsWithoutAGradientAreLazy(hasBFloat16State: Bool, instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            let shape: Shape = [1205, 64], update = try #require(Self.updates.first { $0.optimizer == "rmsprop" })
            let run = Run(update, shape, examples: 20, zeros: 0.9, hasBFloat16State: hasBFloat16State)
            let (examples, left, _) = try #require(run.factors)
            var deferred = [UInt8](repeating: 0, count: shape[0])
            var roundings = [graft_rounding](repeating: graft_rounding(), count: Int(graft_lazy_rounding_count))
            try deferred.withUnsafeMutableBufferPointer { deferred in
                try roundings.withUnsafeMutableBufferPointer { roundings in
                    var lazy = graft_lazy_rows(
                        counts: deferred.baseAddress, roundings: roundings.baseAddress, step: 255)
                    let program = try update.program(shape, hasBFloat16State: hasBFloat16State)
                    _ = try run.results(of: program, lazy: &lazy)
                    #expect(lazy.step == 0, "the number of the next step, modulo 256")
                }
            }
            for row in 0..<shape[0] {
                #expect(deferred[row] == ((0..<examples).allSatisfy { left[$0 * shape[0] + row] == 0 } ? 1 : 0))
            }
            // The seeds of a stream differ from each other and from zero.
            #expect((roundings[255].first != roundings[255].second) == hasBFloat16State)
        }
    }
}

/// An update of random arrays, in place.
private struct Run {
    let gradient: Int
    let shape: Shape
    /// All operands.
    let operands: [[Float]]
    /// The operands whose places the results take.
    let places: [Int]
    /// The operands that are of bfloat16.
    let bfloat16: Set<Int>
    /// The factors of the gradient, where it is computed.
    let factors: (examples: Int, left: [Float], right: [Float])?

    init(
        _ update: InstructionSetTests.OptimizerKernelTests.Update, _ shape: Shape, examples: Int? = nil,
        zeros: Double = 0, hasBFloat16State: Bool = false
    ) {
        var random = SplitMix(seed: UInt64(shape.elementCount))
        bfloat16 = hasBFloat16State ? Set(update.state) : []
        operands = (0..<update.arrays + update.numbers).map { operand in
            let values = random.array(operand < update.arrays ? shape : []).values
            // Means of squares and rates are above zero.
            return values.map { Float(operand == update.gradient ? $0 : abs($0) + 0.01) }
        }
        factors = examples.map { count in
            let left = InstructionSetTests.SparseInputTests.inputs([count, shape[0]], zeros: zeros, &random)
            var right = random.array([count, shape[1]]).tensor.scalars
            // Some examples have no gradient at all.
            for example in 0..<count where Double.random(in: 0..<1, using: &random) < zeros / 2 {
                for column in 0..<shape[1] { right[example * shape[1] + column] = column % 2 == 0 ? 0 : -0.0 }
            }
            return (count, left, right)
        }
        (gradient, self.shape) = (update.gradient, shape)
        places = (0..<update.arrays).filter { $0 != update.gradient }.suffix(update.outputs.count)
    }

    /// The bytes of all results.
    ///
    /// - Parameter lazy: the state of lazy rows of the gradient.
    func results(
        of program: CompiledProgram, threads: Int = 3, lazy: UnsafeMutablePointer<graft_lazy_rows>? = nil
    ) throws -> [[UInt8]] {
        let arrays = operands.indices.map { operand in
            let tensor = Tensor(operands[operand], shape: [operands[operand].count])
            let stored = tensor.stored(as: bfloat16.contains(operand) ? .bfloat16 : .float32)
            return stored.withUnsafeStoredBytes { bytes in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
                copy.copyMemory(from: bytes)
                return copy
            }
        }
        defer { for array in arrays { array.deallocate() } }
        func address(_ array: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<Float>? {
            array.baseAddress?.assumingMemoryBound(to: Float.self)
        }
        var sources = arrays.map { UnsafePointer(address($0)) }
        var targets = places.map { address(arrays[$0]) }
        if factors != nil { sources[gradient] = nil }
        try sources.withUnsafeMutableBufferPointer { sources in
            try targets.withUnsafeMutableBufferPointer { targets in
                try run(program, sources, targets, threads, lazy)
            }
        }
        return places.map { Array(arrays[$0]) }
    }

    private func run(
        _ program: CompiledProgram, _ sources: UnsafeMutableBufferPointer<UnsafePointer<Float>?>,
        _ targets: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>?>, _ threads: Int,
        _ lazy: UnsafeMutablePointer<graft_lazy_rows>?
    ) throws {
        guard let factors else {
            let scratch = try Memory(byteCount: program.scratchByteCount(threads: threads))
            try withMemory(scratch, threads) { program.run(sources, targets, count: shape.elementCount, $0) }
            return
        }
        try factors.left.withUnsafeBufferPointer { left in
            try factors.right.withUnsafeBufferPointer { right in
                var description = graft_gradient()
                (description.examples, description.rows) = (Int64(factors.examples), Int64(shape[0]))
                (description.columns, description.operand) = (Int64(shape[1]), Int32(gradient))
                (description.left, description.right) = (left.baseAddress, right.baseAddress)
                description.lazy = lazy
                let scratch = try Memory(byteCount: program.scratchByteCount(for: &description, threads: threads))
                try withMemory(scratch, threads) {
                    program.run(sources, targets, gradient: &description, next: nil, $0)
                }
            }
        }
    }

    private func withMemory(_ scratch: Memory, _ threads: Int, _ body: (RunMemory) -> Void) throws {
        let buffers = UnsafeMutablePointer<UnsafeMutablePointer<Float>>.allocate(capacity: 1)
        defer { buffers.deallocate() }
        let stream = try Stream(Engine())
        withExtendedLifetime((scratch, stream)) {
            body(
                RunMemory(
                    buffers: buffers, scratch: scratch.base, streams: [stream], threads: threads, randomKey: 0))
        }
    }
}
