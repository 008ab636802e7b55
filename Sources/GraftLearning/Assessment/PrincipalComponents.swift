import GraftGraph

/// The directions along which vectors differ most, and where the vectors are along them.
public struct PrincipalComponents: Sendable {
    /// The coordinates of each vector, `count` numbers a vector.
    public let coordinates: [[Double]]
    /// The share of the variance along each direction, 0 to 1.
    public let shares: [Double]
    /// The directions, each of length 1; zeros where the vectors do not differ any more.
    public let directions: [[Double]]
    /// The sum of the squares of the centered vectors.
    public let total: Double

    /// Finds them by power iteration, one after the other, from a fixed start.
    ///
    /// - Parameters:
    ///   - vectors: a vector a row.
    ///   - count: how many directions.
    ///   - tolerance: where a direction changes by less in a step, it is taken; the sum over its numbers.
    public init(of vectors: Tensor, count: Int = 2, tolerance: Double = 1e-9) {
        let (rows, width) = (vectors.shape[0], vectors.shape.last)
        var centered = vectors.withUnsafeBuffer { $0.map(Double.init) }
        for column in 0..<width {
            let mean = (0..<rows).reduce(0.0) { $0 + centered[$1 * width + column] } / Double(max(rows, 1))
            for row in 0..<rows { centered[row * width + column] -= mean }
        }
        total = centered.reduce(0) { $0 + $1 * $1 }
        var coordinates = [[Double]](repeating: [], count: rows)
        var (shares, directions) = ([Double](), [[Double]]())
        for number in 0..<count {
            let direction = Self.direction(of: centered, rows, width, seed: number, tolerance)
            directions.append(direction)
            let along = Self.product(centered, direction, rows, width)
            shares.append(total > 0 ? along.reduce(0) { $0 + $1 * $1 } / total : 0)
            for row in 0..<rows {
                coordinates[row].append(along[row])
                for column in 0..<width { centered[row * width + column] -= along[row] * direction[column] }
            }
        }
        (self.coordinates, self.shares, self.directions) = (coordinates, shares, directions)
    }

    private static func direction(
        of matrix: [Double], _ rows: Int, _ width: Int, seed: Int, _ tolerance: Double
    ) -> [Double] {
        let random = RandomStream(key: 0, stream: UInt64(seed))
        var direction = (0..<width).map { Double(random.uniform(at: $0)) - 0.5 }
        for _ in 0..<100 {
            let along = product(matrix, direction, rows, width)
            var next = [Double](repeating: 0, count: width)
            for row in 0..<rows {
                for column in 0..<width { next[column] += along[row] * matrix[row * width + column] }
            }
            let length = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 1e-30 else { return [Double](repeating: 0, count: width) }
            next = next.map { $0 / length }
            let change = zip(next, direction).reduce(0) { $0 + abs($1.0 - $1.1) }
            direction = next
            if change < tolerance { break }
        }
        return direction
    }

    private static func product(_ matrix: [Double], _ vector: [Double], _ rows: Int, _ width: Int) -> [Double] {
        (0..<rows).map { row in
            var sum = 0.0
            for column in 0..<width { sum += matrix[row * width + column] * vector[column] }
            return sum
        }
    }
}
