import GraftGraph
import Testing

@Suite struct ReadersTests {
    @Test func productsAreFoundBehindReshapesUnlessSomethingElseReads() throws {
        var graph = Graph()
        let x = try graph.input("x", [2, 3, 4])
        let flat = try graph.reshape(x, to: [2, 12])
        let w = try graph.variable(VariableID(0), [12, 5])
        let product = try graph.matrixProduct(flat, w)
        graph.outputs = [product]
        #expect(graph.productsMultiplying(x) == [product])
        // A right side is read as it is.
        #expect(graph.productsMultiplying(w) == nil)
        #expect(graph.productsMultiplying(product) == nil, "an output")
        graph.outputs.append(try graph.reduce(.sum, x))
        #expect(graph.productsMultiplying(x) == nil)
        #expect(graph.productsMultiplying(flat) == [product])
    }

    @Test func aProductWithItselfIsNone() throws {
        var graph = Graph()
        let x = try graph.input("x", [3, 3])
        graph.outputs = [try graph.matrixProduct(x, x)]
        #expect(graph.productsMultiplying(x) == nil)
    }
}
