import GraftGraph
import GraftTestSupport
import Testing

/// Resized rows, by hand; gradients are checked on random graphs.
@Suite struct ResizeTests {
    private func resized(_ row: [Double], to count: Int, _ interpolation: Interpolation) throws -> [Double] {
        var graph = Graph()
        // The row lies, and stands: both axes follow the same rule.
        let (lying, standing) = (Shape([1, 1, row.count, 1]), Shape([1, row.count, 1, 1]))
        let x = try graph.input("x", lying)
        let y = try graph.input("y", standing)
        graph.outputs = [
            try graph.resize(x, to: Size2D(1, count), interpolation),
            try graph.resize(y, to: Size2D(count, 1), interpolation),
        ]
        let results = try Interpreter.run(
            graph, inputs: ["x": ReferenceArray(row, shape: lying), "y": ReferenceArray(row, shape: standing)]
        ).outputs
        #expect(results[0].values == results[1].values)
        return results[0].values
    }

    @Test func nearestTakesThePixelThatThePlaceFallsInto() throws {
        #expect(try resized([1, 2], to: 4, .nearest) == [1, 1, 2, 2])
        #expect(try resized([1, 2, 3], to: 2, .nearest) == [1, 3])
        #expect(try resized([1, 2, 3, 4], to: 2, .nearest) == [2, 4])
        #expect(try resized([1, 2, 3], to: 5, .nearest) == [1, 1, 2, 3, 3])
        #expect(try resized([1], to: 3, .nearest) == [1, 1, 1])
    }

    @Test func bilinearWeighsByTheCentres() throws {
        #expect(try resized([0, 4], to: 4, .bilinear) == [0, 1, 3, 4])
        #expect(try resized([0, 4, 8, 4], to: 2, .bilinear) == [2, 6])
        // One in four pixels, without those between.
        #expect(try resized([0, 1, 0, 0, 0, 1, 0, 8], to: 2, .bilinear) == [0.5, 0.5])
    }

    @Test func alignedCornersStay() throws {
        #expect(try resized([0, 6], to: 4, .bilinearAlignedCorners) == [0, 2, 4, 6])
        #expect(try resized([1, 5, 9], to: 2, .bilinearAlignedCorners) == [1, 9])
        #expect(try resized([3, 5], to: 1, .bilinearAlignedCorners) == [3])
    }

    /// A triangle of twice the step's width: 1, 3, 3, 1 of 8 in the middle, what is left of it at the edge.
    @Test func antialiasingTakesAllPixels() throws {
        let row: [Double] = [7, 0, 0, 8, 0, 0]
        let expected = [3 * 7.0 / 7, 8.0 * 3 / 8, 8 / 7.0]
        let result = try resized(row, to: 3, .bilinearAntialiased)
        // Sums of three products in 64 bits.
        for (actual, expected) in zip(result, expected) { #expect(abs(actual - expected) < 1e-14) }
        #expect(try resized([0, 4], to: 4, .bilinearAntialiased) == resized([0, 4], to: 4, .bilinear))
    }

    @Test func theGradientOfTheGradientIsTheResize() throws {
        var graph = Graph()
        let x = try graph.input("x", [1, 2, 2, 1])
        let (y, weights) = (try graph.resize(x, to: Size2D(3, 5), .bilinear), try graph.input("w", [1, 3, 5, 1]))
        let first = try graph.gradients(of: graph.reduce(.sum, graph.binary(.multiply, y, weights)), withRespectTo: [x])
        let probed = try graph.reduce(.sum, graph.binary(.multiply, first[0], x))
        graph.outputs = try [y] + graph.gradients(of: probed, withRespectTo: [weights])
        let inputs = [
            "x": ReferenceArray([1, 2, 3, 4], shape: [1, 2, 2, 1]),
            "w": ReferenceArray(repeating: 1, shape: [1, 3, 5, 1]),
        ]
        let results = try Interpreter.run(graph, inputs: inputs).outputs
        #expect(results[0] == results[1])
    }

    @Test(arguments: [[2, 3, 4], [1, 0, 2, 1], [1, 2, 2, 1]])
    func whatCannotBeResizedIsRefused(dimensions: [Int]) throws {
        var graph = Graph()
        let x = try graph.input("x", Shape(dimensions))
        let error = #expect(throws: GraftError.self) { try graph.resize(x, to: Size2D(0, 2), .nearest) }
        #expect(error?.code == .shape && error?.message.contains("is no NHWC image with pixels") == true)
    }
}
