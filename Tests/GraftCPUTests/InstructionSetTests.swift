import CKernels
import Foundation
import GraftCPU
import GraftTestSupport
import Testing

/// Graft's own functions against the C library's in double precision, and all kernels on every instruction set.
///
/// Serialized because the instruction set is chosen for the whole process.
@Suite(.serialized) struct InstructionSetTests {
    struct Function: Sendable, CustomTestStringConvertible {
        let function: UnaryFunction
        let range: ClosedRange<Float>
        /// The largest error allowed, in units in the last place of the exact result.
        let units: Double
        let exact: @Sendable (Double) -> Double

        var testDescription: String { "\(function) in \(range)" }
    }

    static let functions: [Function] = [
        Function(function: .exponential, range: -87...88.7, units: 2) { exp($0) },
        Function(function: .exponential, range: -1...1, units: 2) { exp($0) },
        Function(function: .exponentialMinusOne, range: -20...88, units: 3) { expm1($0) },
        Function(function: .exponentialMinusOne, range: -0.6...0.6, units: 3) { expm1($0) },
        Function(function: .logarithm, range: 1.2e-38...1e38, units: 2) { log($0) },
        Function(function: .logarithm, range: 0.5...2, units: 2) { log($0) },
        Function(function: .logarithmOnePlus, range: -0.999...10, units: 3) { log1p($0) },
        Function(function: .logarithmOnePlus, range: -0.01...0.01, units: 3) { log1p($0) },
        Function(function: .sigmoid, range: -86...86, units: 4) { 1 / (1 + exp(-$0)) },
        Function(function: .tanh, range: -12...12, units: 3) { tanh($0) },
        Function(function: .tanh, range: -0.7...0.7, units: 3) { tanh($0) },
        Function(function: .errorFunction, range: -5...5, units: 3) { erf($0) },
        Function(function: .errorFunction, range: -1...1, units: 3) { erf($0) },
        Function(function: .squareRoot, range: 0...1e30, units: 0.51) { $0.squareRoot() },
        Function(function: .reciprocalSquareRoot, range: 1e-30...1e30, units: 1.5) { 1 / $0.squareRoot() },
    ]

    @Test(arguments: functions, 0..<Int(graft_instruction_set_count()))
    func everyFunctionIsWithinItsBound(_ function: Function, instructionSet: Int) throws {
        graft_use_instruction_set(Int32(instructionSet))
        defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
        let numbers = sweep(function.range)
        let results = try apply(function.function, to: numbers)
        var worst = (units: 0.0, number: Float(0), result: Float(0))
        for (number, result) in zip(numbers, results) {
            let exact = function.exact(Double(number))
            let unit = max(Double(Float(exact).ulp), Double(Float.leastNonzeroMagnitude))
            let units = abs(Double(result) - exact) / unit
            if !(units <= worst.units) { worst = (units, number, result) }
        }
        #expect(worst.units <= function.units, "at \(worst.number) it gives \(worst.result)")
    }

    @Test(arguments: 0..<Int(graft_instruction_set_count()))
    func everyInstructionSetAgreesWithTheInterpreter(instructionSet: Int) throws {
        graft_use_instruction_set(Int32(instructionSet))
        defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
        for seed in 0..<100 {
            let random = try RandomGraph(seed: UInt64(seed) + 70_000, operations: 6 + seed % 6)
            try expectAgreement(random, tolerance: CPUPlanRandomGraphTests.tolerance)
        }
        try FusedGradientTests().updatesAgreeWithTheInterpreter(
            size: .init(examples: 5, inputs: 6, units: 1100), threads: 2)
        try KernelTests().fewRowsTimesALargeMatrixAgreeWithTheInterpreter(rows: 5, inner: 32_771, columns: 32)
        try KernelTests().poolingWorksForEveryNumberOfChannels(channels: 83)
        for example in WinogradTests.cases { try WinogradTests().resultsAgreeWithTheInterpreter(example) }
    }

    struct Ends: Sendable, CustomTestStringConvertible {
        let function: UnaryFunction
        let numbers: [Float]
        let expected: [Float]

        var testDescription: String { "\(function)" }
    }

    static let ends: [Ends] = [
        Ends(
            function: .exponential, numbers: [.infinity, -.infinity, 100, -200, 0],
            expected: [.infinity, 0, .infinity, 0, 1]),
        Ends(function: .exponentialMinusOne, numbers: [.infinity, -.infinity, 0], expected: [.infinity, -1, 0]),
        Ends(function: .logarithm, numbers: [0, .infinity, 1], expected: [-.infinity, .infinity, 0]),
        Ends(function: .logarithmOnePlus, numbers: [-1, .infinity, 0], expected: [-.infinity, .infinity, 0]),
        Ends(function: .sigmoid, numbers: [.infinity, -.infinity, 0], expected: [1, 0, 0.5]),
        Ends(function: .tanh, numbers: [.infinity, -.infinity, 0], expected: [1, -1, 0]),
        Ends(function: .errorFunction, numbers: [.infinity, -.infinity, 0], expected: [1, -1, 0]),
        Ends(function: .sign, numbers: [-3, 0, 2], expected: [-1, 0, 1]),
        Ends(function: .relu, numbers: [-3, 0, 2], expected: [0, 0, 2]),
    ]

    @Test(arguments: ends)
    func endsOfTheRangeAreExact(_ ends: Ends) throws {
        #expect(try apply(ends.function, to: ends.numbers) == ends.expected)
    }

    @Test func logarithmsOfNegativeNumbersAreNotNumbers() throws {
        #expect(try apply(.logarithm, to: [-1, -.infinity]).allSatisfy { $0.isNaN })
        #expect(try apply(.logarithmOnePlus, to: [-2]).allSatisfy { $0.isNaN })
    }

    /// Numbers spread over a range by value and, where it spans many magnitudes, by exponent.
    private func sweep(_ range: ClosedRange<Float>) -> [Float] {
        let count = 20_000
        var numbers = (0...count).map { position in
            range.lowerBound + (range.upperBound - range.lowerBound) * Float(position) / Float(count)
        }
        for exponent in -37...37 {
            for mantissa in stride(from: Float(1), to: 10, by: 0.37) {
                let number = mantissa * pow(10, Float(exponent))
                numbers += [number, -number]
            }
        }
        return numbers.filter(range.contains)
    }

    private func apply(_ function: UnaryFunction, to numbers: [Float]) throws -> [Float] {
        var graph = Graph()
        let x = try graph.input("x", [numbers.count])
        graph.outputs = [try graph.unary(function, x)]
        return try CPUPlan(graph).run(["x": Tensor(numbers, shape: [numbers.count])])[0].scalars
    }
}
