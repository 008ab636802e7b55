import GraftGraph

/// The lower triangular `L` of a symmetric positive definite `A = L Lᵀ`, in double precision.
///
/// Rows are contiguous, so that both the factorization and the substitutions are dot products of rows; four rows at a time share
/// what they read.
///
/// - Complexity: n³ / 6 multiplications to factor; n² / 2 for each right side.
package struct CholeskyFactor: Sendable {
    /// Rows and columns.
    package let size: Int
    /// Row by row; what is right of the diagonal is not looked at.
    private var elements: [Double]

    /// Factors a matrix.
    ///
    /// - Parameters:
    ///   - matrix: row by row; its lower triangle is read.
    ///   - size: rows and columns.
    ///   - diagonal: what is added to the diagonal.
    /// - Throws: `GraftError` with code `data` where the sum is not positive definite: a pivot that is not above zero.
    package init(_ matrix: [Double], size: Int, adding diagonal: Double = 0) throws(GraftError) {
        guard size >= 0, matrix.count == size * size else {
            throw GraftError(.shape, "a matrix of \(size) rows has \(size * size) elements, not \(matrix.count)")
        }
        (self.size, elements) = (size, matrix)
        var failed: Int?
        elements.withUnsafeMutableBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            failed = Self.factor(base, size, diagonal)
        }
        if let failed {
            throw GraftError(
                .data,
                "the features cannot be solved for: pivot \(failed) of \(size) is not above zero; give a larger penalty"
            )
        }
    }

    /// - Returns: the first row whose pivot is not above zero; `nil` where all are.
    private static func factor(_ rows: UnsafeMutablePointer<Double>, _ size: Int, _ diagonal: Double) -> Int? {
        for first in stride(from: 0, to: size, by: 4) {
            let count = min(4, size - first)
            let block = rows + first * size
            for column in 0..<first {
                let sums = DotProducts.four(block, stride: size, rows: count, rows + column * size, count: column)
                let pivot = rows[column * size + column]
                for row in 0..<count {
                    block[row * size + column] = (block[row * size + column] - sums[row]) / pivot
                }
            }
            for row in first..<(first + count) {
                for column in first...row {
                    let sum = DotProducts.one(rows + row * size, rows + column * size, count: column)
                    let rest = rows[row * size + column] - sum
                    if column < row {
                        rows[row * size + column] = rest / rows[column * size + column]
                    } else {
                        let pivot = rest + diagonal
                        guard pivot > 0, pivot.isFinite else { return row }
                        rows[row * size + row] = pivot.squareRoot()
                    }
                }
            }
        }
        return nil
    }

    /// `L⁻¹ b` for each of some right sides, which are rows.
    ///
    /// - Precondition: each has ``size`` elements.
    package func solvingLower(_ sides: [Double]) -> [Double] {
        precondition(size > 0 && sides.count % size == 0, "\(sides.count) numbers are no rows of \(size)")
        var solved = sides
        let count = sides.count / size
        elements.withUnsafeBufferPointer { rows in
            solved.withUnsafeMutableBufferPointer { solved in
                guard let rows = rows.baseAddress, let solved = solved.baseAddress else { return }
                for first in stride(from: 0, to: count, by: 4) {
                    let part = min(4, count - first)
                    let block = solved + first * size
                    // Zeros at the beginning of a right side stay zeros.
                    let zeros = Self.leadingZeros(block, size, rows: part)
                    for place in zeros..<size {
                        let sums = DotProducts.four(
                            block + zeros, stride: size, rows: part, rows + place * size + zeros, count: place - zeros)
                        let pivot = rows[place * size + place]
                        for side in 0..<part {
                            block[side * size + place] = (block[side * size + place] - sums[side]) / pivot
                        }
                    }
                }
            }
        }
        return solved
    }

    private static func leadingZeros(_ sides: UnsafePointer<Double>, _ size: Int, rows: Int) -> Int {
        (0..<size).first { place in (0..<rows).contains { sides[$0 * size + place] != 0 } } ?? size
    }

    /// `A⁻¹ b` for each of some right sides, which are rows.
    package func solving(_ sides: [Double]) -> [Double] {
        var solved = solvingLower(sides)
        for start in stride(from: 0, to: solved.count, by: max(size, 1)) {
            for place in (0..<size).reversed() {
                let value = solved[start + place] / elements[place * size + place]
                solved[start + place] = value
                for before in 0..<place { solved[start + before] -= value * elements[place * size + before] }
            }
        }
        return solved
    }
}
