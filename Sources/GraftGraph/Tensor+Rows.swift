extension Tensor {
    /// Rows of the first axis, in this order.
    ///
    /// - Precondition: each number is a row's.
    package func rows(_ indices: [Int]) -> Tensor {
        let size = shape.dimensions.dropFirst().reduce(1, *) * elementType.byteCount
        let result = Shape([indices.count] + shape.dimensions.dropFirst())
        return withUnsafeStoredBytes { source in
            Tensor(uninitialized: result, as: elementType) { target in
                for (row, index) in indices.enumerated() {
                    let elements = UnsafeRawBufferPointer(rebasing: source[(index * size)..<((index + 1) * size)])
                    UnsafeMutableRawBufferPointer(rebasing: target[(row * size)...]).copyMemory(from: elements)
                }
            }
        }
    }

    /// The rows of another array behind these; both have the same shape but for the first axis. Stored as these are.
    package func appendingRows(of other: Tensor) -> Tensor {
        var result = shape
        result[0] += other.shape[0]
        return withUnsafeStoredBytes { first in
            other.stored(as: elementType).withUnsafeStoredBytes { second in
                Tensor(uninitialized: result, as: elementType) { target in
                    target.copyMemory(from: first)
                    UnsafeMutableRawBufferPointer(rebasing: target[first.count...]).copyMemory(from: second)
                }
            }
        }
    }

    /// The array, filled up with copies of its last row where it has fewer rows than this.
    package func padded(toRows rows: Int) -> Tensor {
        guard shape.rank > 0, shape[0] > 0, shape[0] < rows else { return self }
        return self.rows(Array(0..<shape[0]) + [Int](repeating: shape[0] - 1, count: rows - shape[0]))
    }

    /// The first rows.
    package func prefix(rows: Int) -> Tensor {
        guard shape.rank > 0, rows < shape[0] else { return self }
        var result = shape
        result[0] = rows
        return withUnsafeStoredBytes { source in
            Tensor(uninitialized: result, as: elementType) { target in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<target.count]))
            }
        }
    }
}
