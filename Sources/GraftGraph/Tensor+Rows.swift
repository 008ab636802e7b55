extension Tensor {
    /// Rows of the first axis, in this order.
    ///
    /// - Precondition: each number is a row's.
    package func rows(_ indices: [Int]) -> Tensor {
        let size = shape.dimensions.dropFirst().reduce(1, *)
        let result = Shape([indices.count] + shape.dimensions.dropFirst())
        return withUnsafeBuffer { source in
            Tensor(uninitialized: result) { target in
                for (row, index) in indices.enumerated() {
                    let elements = source[(index * size)..<((index + 1) * size)]
                    _ = target[(row * size)..<((row + 1) * size)].initialize(from: elements)
                }
            }
        }
    }
}
