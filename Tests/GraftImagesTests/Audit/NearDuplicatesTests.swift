import Foundation
import GraftTestSupport
import Testing

@testable import GraftImages

@Suite struct NearDuplicatesTests {
    private func image(_ seed: Int, width: Int = 64, height: Int = 48, _ change: (UInt8) -> UInt8 = { $0 })
        -> DecodedImage
    {
        DecodedImage(
            height: height, width: width, channels: 1,
            pixels: DrawnFile.greys(seed, width: width, height: height).map(change))
    }

    @Test func aHashIsThatOfTheFormula() throws {
        // The definition, term by term, in 64 bits.
        let image = image(7, width: 32, height: 32)
        var frequencies: [Double] = []
        for v in 0..<8 {
            for u in 0..<8 {
                var sum = 0.0
                for y in 0..<32 {
                    for x in 0..<32 {
                        sum +=
                            Double(image.pixels[32 * y + x]) * cos(.pi * Double((2 * x + 1) * u) / 64)
                            * cos(.pi * Double((2 * y + 1) * v) / 64)
                    }
                }
                let scale = (u == 0 ? 1.0 : 2.0) * (v == 0 ? 1.0 : 2.0)
                frequencies.append(sum * scale.squareRoot() / 32)
            }
        }
        let sorted = frequencies.dropFirst().sorted()
        let median = sorted[31]
        let bits = try #require(PerceptualHash(image)).bits
        #expect(bits & 1 == 0)
        for place in 1..<64 where abs(frequencies[place] - median) > 1e-2 {
            // Closer ones may round to either side in 32 bits.
            #expect((bits >> UInt64(place) & 1 == 1) == (frequencies[place] > median), "frequency \(place)")
        }
    }

    @Test(arguments: 0..<20)
    func changesThatKeepTheSceneKeepTheHash(_ seed: Int) throws {
        let original = try #require(PerceptualHash(image(seed)))
        let changed = [
            image(seed, width: 41, height: 37), image(seed, width: 200, height: 150), image(seed) { $0 / 2 + 40 },
            image(seed) { $0 / 16 * 16 + 8 },
        ]
        for (number, image) in changed.enumerated() {
            let hash = try #require(PerceptualHash(image))
            #expect(hash.distance(to: original) <= PerceptualHash.maximumDistance, "change \(number)")
            #expect(hash.correlation(with: original) >= PerceptualHash.minimumCorrelation, "change \(number)")
        }
        let other = try #require(PerceptualHash(image(seed + 1000)))
        #expect(other.distance(to: original) > PerceptualHash.maximumDistance)
    }

    @Test func aPlainAreaHasNoHash() {
        #expect(
            PerceptualHash(DecodedImage(height: 9, width: 9, channels: 1, pixels: .init(repeating: 80, count: 81)))
                == nil)
    }

    @Test func bandsFindWhatComparingAllFinds() {
        // Hashes in clusters, so that all distances from 0 to 12 occur; the correlation is that of one image.
        var random = SplitMix(seed: 5)
        let blocks = (0..<256).map { UInt8($0) }
        var hashes: [PerceptualHash?] = []
        for _ in 0..<60 {
            let centre = random.next()
            for _ in 0..<6 {
                let flips = (0..<(random.next() % 9)).reduce(UInt64(0)) { bits, _ in bits ^ 1 << (random.next() % 64) }
                hashes.append(PerceptualHash(bits: centre ^ flips, blocks: blocks))
            }
            hashes.append(nil)
        }
        var sets = DisjointSets(count: hashes.count)
        for one in hashes.indices {
            for other in 0..<one {
                guard let left = hashes[one], let right = hashes[other] else { continue }
                if left.distance(to: right) <= PerceptualHash.maximumDistance { sets.join(one, other) }
            }
        }
        let groups = NearDuplicates(among: hashes).groups
        #expect(groups.map(\.members) == sets.groups())
        #expect(groups.count > 30)
        #expect(groups.allSatisfy { $0.distance <= PerceptualHash.maximumDistance && $0.correlation > 0.999 })
    }

    @Test func equalHashesOfOtherImagesAreNotTheSame() {
        let rising = (0..<256).map { UInt8($0) }
        let hashes = [rising, rising.reversed(), rising].map { PerceptualHash(bits: 0xABCD, blocks: $0) }
        #expect(NearDuplicates(among: hashes).groups.map(\.members) == [[0, 2]])
    }
}
