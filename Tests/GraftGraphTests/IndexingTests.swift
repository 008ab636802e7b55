import GraftGraph
import Testing

/// What permutations, batched products, gather, scatter-add, comparisons and top-k give, by hand.
@Suite struct IndexingTests {
    private func run(
        _ inputs: [ReferenceArray], _ build: (inout Graph, [ValueID]) throws -> ValueID
    ) throws -> ReferenceArray {
        var graph = Graph()
        var values: [ValueID] = []
        for (position, input) in inputs.enumerated() { try values.append(graph.input("\(position)", input.shape)) }
        graph.outputs = [try build(&graph, values)]
        let named = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ("\($0)", $1) })
        return try Interpreter.run(graph, inputs: named).outputs[0]
    }

    private func counted(_ shape: Shape) -> ReferenceArray {
        ReferenceArray((0..<shape.elementCount).map(Double.init), shape: shape)
    }

    @Test func aPermutationTurnsAMatrixAndGoesBack() throws {
        let turned = try run([counted([2, 3])]) { try $0.permute($1[0], axes: [1, 0]) }
        #expect(turned == ReferenceArray([0, 3, 1, 4, 2, 5], shape: [3, 2]))
        let moved = try run([counted([2, 2, 3])]) { try $0.permute($1[0], axes: [-1, 0, 1]) }
        #expect(moved == ReferenceArray([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11], shape: [3, 2, 2]))
        var graph = Graph()
        let x = try graph.input("x", [2, 3])
        #expect(try graph.permute(x, axes: [0, 1]) == x)
    }

    @Test func aBatchedProductMultipliesMatrixByMatrix() throws {
        let (left, right) = (counted([2, 1, 2]), counted([2, 2, 2]))
        let product = try run([left, right]) { try $0.batchedMatrixProduct($1[0], $1[1]) }
        #expect(product == ReferenceArray([2, 3, 26, 31], shape: [2, 1, 2]))
        let turned = try run([left, right]) { try $0.batchedMatrixProduct($1[0], $1[1], transposeRight: true) }
        #expect(turned == ReferenceArray([1, 3, 23, 33], shape: [2, 1, 2]))
    }

    @Test func gatherTakesSlicesAndScatterPutsThemBack() throws {
        let indices = ReferenceArray([2, 0, 2], shape: [3])
        let rows = try run([counted([3, 2]), indices]) { try $0.gather($1[0], at: $1[1]) }
        #expect(rows == ReferenceArray([4, 5, 0, 1, 4, 5], shape: [3, 2]))
        let columns = try run([counted([2, 3]), indices]) { try $0.gather($1[0], at: $1[1], axis: -1) }
        #expect(columns == ReferenceArray([2, 0, 2, 5, 3, 5], shape: [2, 3]))
        let sums = try run([counted([3, 2]), indices]) { try $0.scatterAdd($1[0], at: $1[1], size: 3) }
        #expect(sums == ReferenceArray([2, 3, 0, 0, 4, 6], shape: [3, 2]))
        let one = try run([counted([3, 2]), ReferenceArray(1)]) { try $0.gather($1[0], at: $1[1]) }
        #expect(one == ReferenceArray([2, 3], shape: [2]))
    }

    @Test func anIndexOutsideGivesZerosAndIsLeftOut() throws {
        let indices = ReferenceArray([-1, 3, .nan, .infinity, -.infinity, 1e300, 2], shape: [7])
        let rows = try run([counted([3]), indices]) { try $0.gather($1[0], at: $1[1]) }
        #expect(rows.values == [0, 0, 0, 0, 0, 0, 2])
        let sums = try run([counted([7]), indices]) { try $0.scatterAdd($1[0], at: $1[1], size: 3) }
        #expect(sums.values == [0, 0, 6])
    }

    @Test func topKGivesTheLargestAndTheEarlierOfEquals() throws {
        let row = ReferenceArray([3, 1, 3, 2, 5, 9, .nan, 9], shape: [2, 4])
        let values = try run([row]) { try $0.topK($1[0], 3).values }
        let positions = try run([row]) { try $0.topK($1[0], 3).positions }
        #expect(Array(values.values[..<3]) == [3, 3, 2])
        #expect(values.values[3].isNaN && Array(values.values[4...]) == [9, 9])
        #expect(positions.values == [0, 2, 3, 2, 1, 3])
    }

    @Test func comparisonsAreThoseOfFloatingPoint() throws {
        let (left, right) = (ReferenceArray([1, 2, 3, .nan], shape: [4]), ReferenceArray([2, 2, 2, 2], shape: [4]))
        let expected: [Comparison: [Double]] = [
            .less: [1, 0, 0, 0], .lessOrEqual: [1, 1, 0, 0], .equal: [0, 1, 0, 0], .notEqual: [1, 0, 1, 1],
            .greater: [0, 0, 1, 0], .greaterOrEqual: [0, 1, 1, 0],
        ]
        for comparison in Comparison.allCases {
            let result = try run([left, right]) { try $0.compare($1[0], comparison, $1[1]) }
            #expect(result.values == expected[comparison], "\(comparison)")
        }
    }

    /// An embedding of tokens belongs to the trunk; what mixes examples does not.
    @Test func tokensAreFeaturesOfTheirExample() throws {
        var graph = Graph()
        let tokens = try graph.input("tokens", [2, 3])
        let table = try graph.variable(VariableID(0), [5, 4])
        let words = try graph.gather(table, at: tokens)
        let scores = try graph.batchedMatrixProduct(words, words, transposeRight: true)
        let turned = try graph.permute(scores, axes: [1, 0, 2])
        graph.outputs = [try graph.binary(.multiply, turned, graph.variable(VariableID(1), []))]
        let split = try #require(try graph.splittingTrunk(changing: [VariableID(1)]))
        #expect(split.trunk.nodes.map(\.operation.name).suffix(2) == ["gather", "batchedMatrixProduct"])
        #expect(split.isWorthKeeping)
        #expect(split.rest.nodes.contains { $0.operation.name == "permutation" })
    }
}
