import Foundation
import GraftGraph
import Testing

@testable import GraftData

@Suite struct MixUpTests {
    /// Mean ½ and variance 1/(4·(2α + 1)), within four standard deviations of 20,000 draws.
    @Test(arguments: [0.05, 0.2, 0.9, 1, 2, 30])
    func weightsAreOfBeta(alpha: Double) throws {
        let count = 20_000
        let weights = try MixUp(alpha: alpha).mixing(of: Array(0..<count), seed: 3, epoch: 1).weights.map(Double.init)
        #expect(weights.allSatisfy { (0...1).contains($0) })
        let mean: Double = weights.reduce(0, +) / Double(count)
        let variance: Double = 1 / (4 * (2 * alpha + 1))
        let deviation: Double = (variance / Double(count)).squareRoot()
        #expect(abs(mean - 0.5) < 4 * deviation)
        // The fourth central moment is 3·variance²·(2α + 1)/(2α + 3).
        let fourth: Double = 3 * variance * variance * (2 * alpha + 1) / (2 * alpha + 3)
        let measured: Double = weights.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / Double(count)
        let slack: Double = 4 * ((fourth - variance * variance) / Double(count)).squareRoot()
        #expect(abs(measured - variance) < slack)
        // The distribution itself, where it is known: uniform for 1, u·u·(3 − 2·u) for 2.
        let below = Double(weights.count { $0 < 0.25 }) / Double(count)
        for (known, share) in [(1.0, 0.25), (2, 0.15625)] where alpha == known {
            let spread: Double = (share * (1 - share) / Double(count)).squareRoot()
            #expect(abs(below - share) < 4 * spread)
        }
    }

    @Test func partnersAreOthersEachAsLikely() throws {
        let mixUp = try MixUp()
        var counts = [Int](repeating: 0, count: 5)
        for epoch in 0..<2000 {
            let partners = mixUp.mixing(of: [10, 11, 12, 13, 14], seed: 1, epoch: epoch).partners
            for (row, partner) in partners.enumerated() {
                #expect(partner != row)
                if row == 2 { counts[partner] += 1 }
            }
        }
        #expect(counts[2] == 0)
        for (row, count) in counts.enumerated() where row != 2 {
            // Four standard deviations of 2,000 draws of a quarter.
            #expect(abs(count - 500) < 78)
        }
    }

    @Test func aMixFollowsFromSeedEpochAndExample() throws {
        let mixUp = try MixUp(alpha: 1)
        let one = mixUp.mixing(of: [4, 900, 17], seed: 5, epoch: 2)
        #expect(mixUp.mixing(of: [4, 900, 17], seed: 5, epoch: 2) == one)
        #expect(mixUp.mixing(of: [4, 1, 17], seed: 5, epoch: 2).weights[2] == one.weights[2])
        #expect(mixUp.mixing(of: [4, 900, 17], seed: 6, epoch: 2).weights != one.weights)
        #expect(mixUp.mixing(of: [4, 900, 17], seed: 5, epoch: 3).weights != one.weights)
        #expect(Set(one.weights).count == 3)
    }

    @Test func rowsAreMixedWithRowsAsTheyWere() {
        let mixing = Mixing(partners: [1, 2, 0], weights: [0.75, 0, 1])
        var tensor = Tensor([4, 8, 40, 80, 400, 800], shape: [3, 2])
        let before = tensor
        mixing.mix(&tensor)
        #expect(tensor == Tensor([13, 26, 400, 800, 400, 800], shape: [3, 2]))
        #expect(before == Tensor([4, 8, 40, 80, 400, 800], shape: [3, 2]))
    }

    @Test func anExampleAloneStaysWhatItIs() throws {
        let mixUp = try MixUp(alpha: 1)
        var tensor = Tensor([3, 5], shape: [1, 2])
        let mixing = mixUp.mixing(of: [0], seed: 0, epoch: 0)
        #expect(mixing.partners == [0])
        mixing.mix(&tensor)
        // λ·x + (1 − λ)·x, in 32 bits.
        #expect(abs(tensor[0] - 3) < 1e-6 && abs(tensor[1] - 5) < 1e-6)
        #expect(mixUp.mixing(of: [], seed: 0, epoch: 0).partners.isEmpty)
    }

    @Test(arguments: [0, -1, .nan, .infinity, 1001])
    func anAlphaOutOfItsRangeThrows(alpha: Double) {
        #expect(throws: GraftError.self) { try MixUp(alpha: alpha) }
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(MixUp.self, from: Data(#"{"alpha":\#(alpha)}"#.utf8))
        }
    }

    @Test func isStoredByItsAlpha() throws {
        let mixUp = try MixUp(alpha: 0.3)
        #expect(try JSONDecoder().decode(MixUp.self, from: JSONEncoder().encode(mixUp)) == mixUp)
    }
}
