import GraftTestSupport
import Testing

@testable import GraftGraph

/// Rounding by chance: its statistics, its exceptions, and the operation.
@Suite struct StochasticRoundingTests {
    private static let streams = ([(0, 0), (1, 0), (0, 1), (1, 1), (77, 1 << 63 | 5)] as [(UInt64, UInt64)]).map {
        StochasticRounding(key: $0.0, stream: $0.1)
    }

    /// χ² of counts that should be equal, in standard deviations from its mean.
    private func deviation(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        let sum = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        let freedom = Double(counts.count - 1)
        return (sum - freedom) / (2 * freedom).squareRoot()
    }

    /// The upper four bits of each.
    private func pair(_ first: UInt32, _ second: UInt32) -> Int { Int((first >> 12) * 16 + (second >> 12)) }

    // MARK: Random bits

    /// As in files that were written: a run that is resumed by a later Graft draws the same.
    @Test func theBitsAreThoseOfTheFormula() {
        let rounding = StochasticRounding(key: 0, stream: 0)
        // Philox's first words of the counter and key 0: the published test vector.
        #expect(rounding.seeds == (0x6627_e8d5, 0xe169_c58d))
        #expect((0..<4).map { rounding.bits(at: $0) } == [61782, 62887, 38993, 19187])
    }

    @Test(arguments: streams.indices)
    func eachHalfOfTheBitsTakesAllValuesEquallyOften(stream: Int) {
        var (high, low) = ([Int](repeating: 0, count: 256), [Int](repeating: 0, count: 256))
        for position in 0..<(1 << 20) {
            let bits = Self.streams[stream].bits(at: position)
            high[Int(bits >> 8)] += 1
            low[Int(bits & 255)] += 1
        }
        #expect(abs(deviation(high)) < 5)
        #expect(abs(deviation(low)) < 5)
    }

    /// Neighbours in a vector, in a row of vectors and in the next row of a matrix.
    @Test(arguments: [1, 2, 3, 16, 32, 1024, 2048, 3072, 4096, 16_384, 65_536, 1 << 20])
    func elementsAreIndependentOfTheirNeighbours(distance: Int) {
        for rounding in Self.streams {
            var pairs = [Int](repeating: 0, count: 256)
            for position in 0..<(1 << 18) {
                pairs[pair(rounding.bits(at: position), rounding.bits(at: position + distance))] += 1
            }
            #expect(abs(deviation(pairs)) < 5)
        }
    }

    /// One element through the steps of a run, and two arrays of a variable.
    @Test func keysAndStreamsAreIndependent() {
        for other in Self.streams.dropFirst() {
            var pairs = [Int](repeating: 0, count: 256)
            for position in 0..<(1 << 18) {
                pairs[pair(Self.streams[0].bits(at: position), other.bits(at: position))] += 1
            }
            #expect(abs(deviation(pairs)) < 5)
        }
        var values = [Int](repeating: 0, count: 256)
        for step in 0..<(1 << 16) {
            values[Int(StochasticRounding(key: UInt64(step), stream: 3).bits(at: 12_345) >> 8)] += 1
        }
        #expect(abs(deviation(values)) < 5)
    }

    // MARK: Rounding

    @Test(arguments: [1, 1.003, -1.001_953_1, 0.1, -3.14159, 1e-20, 7e30, 0x1.fffffep0, 0x1.8p-134] as [Float])
    func theMeanIsTheNumber(_ number: Float) {
        let count = 1 << 16
        for rounding in Self.streams {
            var sum = 0.0
            var results: Set<Float> = []
            for position in 0..<count {
                let result = rounding.rounded(number, at: position)
                results.insert(result)
                sum += Double(result)
            }
            // The two numbers of bfloat16 around it, no others.
            let below = Float(bitPattern: number.bitPattern & 0xffff_0000)
            let above = Float(bitPattern: below.bitPattern + 0x1_0000)
            #expect(results.isSubset(of: below == number ? [number] : [below, above]))
            // The mean of so many steps of one size deviates by half a step / √count; five times that.
            let bound = 5 * abs(Double(above) - Double(below)) / 2 / Double(count).squareRoot()
            #expect(abs(sum / Double(count) - Double(number)) <= bound)
        }
    }

    @Test(
        arguments: [0, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x3f80_0000, 0xc2c8_0000, 0x7f7f_0000, 1 << 16]
            as [UInt32])
    func whatIsANumberOfBfloat16OrInfiniteStays(_ bits: UInt32) {
        for position in 0..<1000 {
            #expect(Self.streams[0].rounded(Float(bitPattern: bits), at: position).bitPattern == bits)
        }
    }

    @Test(arguments: [0x7fc0_0000, 0x7f80_0001, 0xff80_ffff, 0x7fff_ffff, 0xffff_ffff] as [UInt32])
    func whatIsNoNumberStaysNone(_ bits: UInt32) {
        for position in 0..<100 { #expect(Self.streams[0].rounded(Float(bitPattern: bits), at: position).isNaN) }
    }

    /// A sum of 256 increments of 2⁻¹⁰, each an eighth of a step at 1: to the nearest nothing is ever added.
    @Test func smallIncrementsAreLostToTheNearestAndKeptByChance() {
        var nearest: Float = 1
        for _ in 0..<256 { nearest = ElementType.bfloat16.nearest(to: nearest + 0x1p-10) }
        #expect(nearest == 1)
        let count = 4096
        var sums = [Float](repeating: 1, count: count)
        for step in 0..<256 {
            let rounding = StochasticRounding(key: UInt64(step), stream: 0)
            for index in sums.indices { sums[index] = rounding.rounded(sums[index] + 0x1p-10, at: index) }
        }
        let mean = sums.reduce(0) { $0 + Double($1) } / Double(count)
        // 256 draws of a step of 2⁻⁷ with the probability 1/8 have a standard deviation of 2⁻⁷ · √(256 · 7/64) = 0.041; five
        // times that over √4096.
        #expect(abs(mean - 1.25) < 5 * 0.041 / 64)
    }

    /// Adam's mean of squares, β₂ = 0.999, where one square in ten is 10 and the others 0: to the nearest the small ones never
    /// move it, so that it stands far above the mean, by chance it has noise and no bias.
    @Test func aSlowMeanOfSquaresIsLostToTheNearestAndKeptByChance() {
        let count = 256
        var wide = [Float](repeating: 1, count: count)
        var (nearest, byChance) = (wide, wide)
        for step in 0..<3000 {
            let squares = StochasticRounding(key: UInt64(step), stream: 2)
            let rounding = StochasticRounding(key: UInt64(step), stream: 1)
            for index in 0..<count {
                let square: Float = squares.bits(at: index) < 6554 ? 10 : 0
                func next(_ mean: Float) -> Float { mean + 0.001 * (square - mean) }
                wide[index] = next(wide[index])
                nearest[index] = ElementType.bfloat16.nearest(to: next(nearest[index]))
                byChance[index] = rounding.rounded(next(byChance[index]), at: index)
            }
        }
        func mean(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) } / Double(count) }
        #expect(mean(nearest) > 2 * mean(wide))
        // Each has noise of a standard deviation of some 8 %; five times that over √256.
        #expect(abs(mean(byChance) / mean(wide) - 1) < 5 * 0.08 / 16)
    }

    // MARK: The operation

    @Test func aRunsKeyAndTheStreamDecide() throws {
        var graph = Graph()
        let x = try graph.input("x", [64])
        let (first, second) = (
            try graph.roundStochastically(x, stream: 1), try graph.roundStochastically(x, stream: 2)
        )
        #expect(graph[first].elementType == .bfloat16)
        #expect(try graph.roundStochastically(x, stream: 1) == first)
        graph.outputs = [try graph.cast(first, to: .float32), try graph.cast(second, to: .float32)]
        let input = ReferenceArray((0..<64).map { 1 + Double($0) / 1000 }, shape: [64])
        func run(_ key: UInt64) throws -> [ReferenceArray] {
            try Interpreter.run(graph, inputs: ["x": input], randomKey: key).outputs
        }
        let results = try run(5)
        #expect(results[0] != results[1])
        #expect(try run(5) == results)
        #expect(try run(6)[0] != results[0])
        let rounding = StochasticRounding(key: 5, stream: 2)
        #expect(results[1].values == (0..<64).map { Double(rounding.rounded(Float(input.values[$0]), at: $0)) })
    }

    @Test func itsGradientIsThatOfItsOperand() throws {
        var graph = Graph()
        let x = try graph.input("x", [3])
        let loss = try graph.reduce(.sum, graph.roundStochastically(x, stream: 0))
        graph.outputs = [try graph.gradients(of: loss, withRespectTo: [x])[0]]
        let results = try Interpreter.run(graph, inputs: ["x": ReferenceArray([1, 2, 3], shape: [3])])
        #expect(results.outputs[0].values == [1, 1, 1])
    }

    @Test func aTrunkIsNeverRoundedByChance() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        let product = try graph.matrixProduct(x, graph.variable(VariableID(0), [3, 3]))
        let rounded = try graph.roundStochastically(product, stream: 0)
        graph.outputs = [try graph.unary(.square, rounded)]
        let split = try #require(try graph.splittingTrunk(changing: []))
        #expect(split.trunk.nodes.allSatisfy { $0.operation.name != "stochasticRounding" })
    }

    // MARK: Variables of bfloat16

    @Test func anUpdateIsOfItsVariablesType() throws {
        var graph = Graph()
        let state = try graph.variable(VariableID(7), [2], as: .bfloat16)
        let next = try graph.binary(.add, state, 1)
        #expect(graph[next].elementType == .float32)
        graph.updates = [.init(variable: VariableID(7), value: try graph.roundStochastically(next, stream: 0))]
        try graph.validate()
        graph.updates = [.init(variable: VariableID(7), value: next)]
        let error = #expect(throws: GraftError.self) { try graph.validate() }
        #expect(
            error?.message
                == "the update of variable 7, value 2 (add), is of float32, the variable of bfloat16; cast or round it")
    }

    @Test func aVariableHasOneType() throws {
        var graph = Graph()
        let (narrow, wide) = (
            try graph.variable(VariableID(0), [2], as: .bfloat16), try graph.variable(VariableID(0), [2])
        )
        graph.outputs = [try graph.binary(.add, narrow, wide)]
        let error = #expect(throws: GraftError.self) { try graph.validate() }
        #expect(error?.message == "variable 0 is used with two element types")
    }

    @Test func everyPassLeavesStateAndItsRoundingAsTheyAre() throws {
        var graph = Graph()
        let (x, w) = (try graph.input("x", [2, 3]), try graph.variable(VariableID(0), [3, 4]))
        let state = try graph.variable(VariableID(1), [3, 4], as: .bfloat16)
        let loss = try graph.reduce(.sum, graph.unary(.square, graph.matrixProduct(x, w)))
        let gradient = try graph.gradients(of: loss, withRespectTo: [w])[0]
        let next = try graph.binary(.add, graph.binary(.multiply, state, 0.9), gradient)
        graph.outputs = [loss]
        graph.updates = [
            .init(variable: VariableID(0), value: try graph.binary(.subtract, w, next)),
            .init(variable: VariableID(1), value: try graph.roundStochastically(next, stream: 3)),
        ]
        var random = SplitMix(seed: 1)
        let inputs = ["x": random.array([2, 3])]
        let variables = [
            VariableID(0): random.array([3, 4]),
            VariableID(1): ReferenceArray(random.array([3, 4]).tensor.stored(as: .bfloat16)),
        ]
        func run(_ graph: Graph) throws -> Interpreter.Results {
            try graph.validate()
            return try Interpreter.run(graph, inputs: inputs, variables: variables, randomKey: 9)
        }
        let expected = try run(graph).updates
        let passes: [(Graph) throws -> Graph] = [
            { try $0.pruned() }, { try $0.foldingNormalization() }, { try $0.fusingEpilogues() },
            { try $0.fusingElementwise() }, { try $0.choosingPrecision(.bfloat16) },
            { try $0.legalizingTypes { _, _, _ in false } },
            { try $0.legalizingTypes { node, _, _ in node.operation.name == "stochasticRounding" } },
        ]
        for pass in passes { #expect(try run(pass(graph)).updates == expected) }
    }
}
