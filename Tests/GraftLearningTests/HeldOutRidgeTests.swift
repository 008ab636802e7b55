import GraftLearning
import Testing

@Suite struct HeldOutRidgeTests {
    /// Numbers that a few products of the place give: no two rows alike.
    private static func number(_ place: Int) -> Float { Float((place * 7919 + 104_729) % 1009) / 500 - 1 }

    /// Ridge by Gaussian elimination on some of the examples, and its answer for one more: what is exact is compared with.
    private static func prediction(
        for example: [Double], from rows: [[Double]], _ targets: [Double], penalty: Double
    ) -> Double {
        let width = example.count
        var system = (0..<width).map { row in
            (0..<width).map { column in
                rows.reduce(row == column ? penalty : 0) { $0 + $1[row] * $1[column] }
            } + [zip(rows, targets).reduce(0) { $0 + $1.0[row] * $1.1 }]
        }
        for pivot in 0..<width {
            let largest = (pivot..<width).max { abs(system[$0][pivot]) < abs(system[$1][pivot]) } ?? pivot
            system.swapAt(pivot, largest)
            for row in 0..<width where row != pivot {
                let factor = system[row][pivot] / system[pivot][pivot]
                for column in pivot...width { system[row][column] -= factor * system[pivot][column] }
            }
        }
        return (0..<width).reduce(0) { $0 + example[$1] * system[$1][width] / system[$1][$1] }
    }

    /// The rows with the constant that ridge adds.
    private static func rows(_ features: [Float], width: Int) -> [[Double]] {
        let count = features.count / width
        let square = features.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
        return (0..<count).map { row in
            features[(row * width)..<((row + 1) * width)].map(Double.init) + [10 * square.squareRoot()]
        }
    }

    /// Fewer features than examples, and more; folds of one, and of several.
    @Test(arguments: [(count: 13, width: 4), (count: 11, width: 17), (count: 6, width: 5)], [1, 3])
    func predictionsAreThoseOfFitsWithoutTheFold(_ size: (count: Int, width: Int), foldSize: Int) throws {
        let features = (0..<(size.count * size.width)).map(Self.number)
        let targets = (0..<(2 * size.count)).map { $0 * 5 % 3 == 0 ? 1.0 : -1.0 }
        let folds = stride(from: 0, to: size.count, by: foldSize).map { Array($0..<min($0 + foldSize, size.count)) }
        let penalties = [0.05, 2, 40]
        let found = try HeldOutRidge(features: features, width: size.width, targets: targets, folds: folds)
            .predictions(penalties: penalties)
        let rows = Self.rows(features, width: size.width)
        for (penalty, values) in zip(penalties, found) {
            for output in 0..<2 {
                let own = Array(targets[(output * size.count)..<((output + 1) * size.count)])
                for fold in folds {
                    let others = (0..<size.count).filter { !fold.contains($0) }
                    for example in fold {
                        let expected = Self.prediction(
                            for: rows[example], from: others.map { rows[$0] }, others.map { own[$0] }, penalty: penalty)
                        // Both are double; the systems are well conditioned by the penalty.
                        #expect(abs(values[output * size.count + example] - expected) < 1e-9)
                    }
                }
            }
        }
    }

    /// One feature, two examples, by hand: rows (1, 10) and (−1, 10), targets 1 and −1, λ = 1. Without the first example the
    /// system is ((2, −10), (−10, 101)) w = (1, −10), of determinant 102, so that w = (1, −10) / 102; the first example's answer is
    /// (1 − 100) / 102.
    @Test func twoExamplesByHand() throws {
        let found = try HeldOutRidge(features: [1, -1], width: 1, targets: [1, -1], folds: [[0], [1]])
            .predictions(penalties: [1])
        #expect(abs(found[0][0] + 99.0 / 102) < 1e-12 && abs(found[0][1] - 99.0 / 102) < 1e-12)
    }

    @Test func whatCannotBeSolvedIsSaid() throws {
        let ridge = try HeldOutRidge(features: [1, 2], width: 1, targets: [1, -1], folds: [[0], [1]])
        #expect(throws: GraftError.self) { try ridge.predictions(penalties: [0]) }
        #expect(throws: GraftError.self) {
            try HeldOutRidge(features: [1, .nan], width: 1, targets: [1, -1], folds: [[0], [1]])
        }
        #expect(throws: GraftError.self) {
            try HeldOutRidge(features: [1, 2], width: 1, targets: [1, -1], folds: [[0], [0]])
        }
        #expect(throws: GraftError.self) { try CholeskyFactor([1, 2, 2, 1], size: 2) }
    }

    /// ((4, 2), (2, 5)) = L Lᵀ with L = ((2, 0), (1, 2)).
    @Test func aFactorSolves() throws {
        let factor = try CholeskyFactor([4, 2, 2, 5], size: 2)
        #expect(factor.solvingLower([4, 8]) == [2, 3])
        let solved = factor.solving([8, 12])
        #expect(abs(solved[0] - 1) < 1e-15 && abs(solved[1] - 2) < 1e-15)
        #expect(try CholeskyFactor([3, 2, 2, 4], size: 2, adding: 1).solvingLower([4, 8]) == [2, 3])
    }
}

@Suite struct HeldOutNeighboursTests {
    /// Directions at 0°, 10°, 20° and 90°, of which the second and third share a fold.
    @Test func neighboursOfOtherFoldsVote() throws {
        let features: [Float] = [1, 0, 0.98481, 0.17365, 0.93969, 0.34202, 0, 1]
        let neighbours = try HeldOutNeighbours(features: features, width: 2, folds: [0, 1, 1, 2], most: 2)
        let labels = [0, 1, 2, 1]
        #expect(neighbours.classes(labels, neighbours: 1) == [1, 0, 0, 2])
        // Of two classes with a vote each, the nearer one's.
        #expect(neighbours.classes(labels, neighbours: 2) == [1, 0, 0, 2])
        #expect(neighbours.classes([0, 1, 1, 1], neighbours: 2) == [1, 0, 0, 1])
    }

    @Test func whatHasNoOtherFoldHasNoClass() throws {
        let neighbours = try HeldOutNeighbours(features: [1, 1], width: 1, folds: [0, 0], most: 3)
        #expect(neighbours.classes([0, 1], neighbours: 3) == [nil, nil])
    }
}
