import GraftGraph
import Testing

@Suite struct TensorPoolTests {
    private func address(of tensor: Tensor) -> UInt { tensor.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) } }

    private func filled(_ pool: TensorPool, _ value: Float, shape: Shape = [4]) -> Tensor {
        pool.tensor(shape) { $0.initialize(repeating: value) }
    }

    @Test func memoryIsUsedAgainWhenNobodyHoldsIt() {
        let pool = TensorPool(capacity: 2)
        let first = address(of: filled(pool, 1))
        let second = filled(pool, 2)
        #expect(address(of: second) == first)
        #expect(second.scalars == [2, 2, 2, 2])
    }

    @Test func whatSomebodyHoldsIsNotWrittenTo() {
        let pool = TensorPool(capacity: 8)
        let held = (0..<5).map { filled(pool, Float($0)) }
        #expect(Set(held.map(address)).count == 5)
        for (number, tensor) in held.enumerated() {
            #expect(tensor.scalars == [Float](repeating: Float(number), count: 4))
        }
    }

    @Test func anotherShapeHasItsOwnMemory() {
        let pool = TensorPool(capacity: 2)
        _ = filled(pool, 1)
        let other = filled(pool, 2, shape: [2, 3])
        #expect(other.shape == [2, 3])
        #expect(other.scalars == [Float](repeating: 2, count: 6))
    }

    /// As the last batch of an epoch does, which is smaller.
    @Test func anotherShapeTakesNoMemoryAwayWhileThereIsRoom() {
        let pool = TensorPool(capacity: 2)
        let first = address(of: filled(pool, 1))
        _ = filled(pool, 2, shape: [3])
        #expect(address(of: filled(pool, 3)) == first)
        // A third shape makes room for itself.
        let third = address(of: filled(pool, 4, shape: [5]))
        #expect(address(of: filled(pool, 5, shape: [5])) == third)
    }

    @Test func aPoolWithoutRoomKeepsNothing() {
        let pool = TensorPool(capacity: 0)
        #expect(filled(pool, 1).scalars == [1, 1, 1, 1])
        #expect(filled(pool, 2).scalars == [2, 2, 2, 2])
    }
}
