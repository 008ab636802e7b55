import GraftGraph
import Testing

@testable import GraftCPU

@Suite struct PackedRowsTests {
    /// Words of the first rows stand before the second words, and their elements in the same order.
    @Test func wordsStandInTheOrderInWhichAProductReadsThem() {
        var elements = [Float](repeating: 0, count: 2 * 70)
        (elements[3], elements[69], elements[70], elements[70 + 64]) = (1, 2, 3, 4)
        let packed = PackedBitmapRows(BitmapRows(Tensor(elements, shape: [2, 70])), in: TensorPool(capacity: 0))
        #expect(packed.rowCount == 2 && packed.rowSize == 70)
        packed.withUnsafePointers { masks, starts, values in
            #expect((0..<4).map { masks[$0] } == [8, 1, 32, 1])
            #expect((0..<2).map { starts[$0] } == [0, 2])
            #expect((0..<4).map { values[$0] } == [1, 3, 2, 4])
        }
    }
}
