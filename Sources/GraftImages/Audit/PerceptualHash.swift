import Foundation
import GraftData
import GraftGraph

/// What an image looks like in a few bytes, so that it is found again when it was scaled, encoded anew or brightened.
///
/// The brightness of the upright image is brought to 32 × 32 by the antialiasing triangle and transformed by the orthonormal
/// DCT-II, `X(u, v) = c(u) c(v) Σ f(y, x) cos(π(2y+1)u/64) cos(π(2x+1)v/64)`. Of the 8 × 8 lowest frequencies, without the mean,
/// a bit says whether each lies above their median: 63 bits (pHash, C. Zauner, "Implementation and Benchmarking of Perceptual
/// Image Hash Functions", 2010). Two images are taken for the same where
///
/// - at most ``maximumDistance`` bits differ, and
/// - the brightness of 16 × 16 blocks correlates by at least ``minimumCorrelation`` (Pearson).
///
/// The hash finds candidates fast, the correlation refuses those that only have the same composition, as all X-rays of a chest
/// do. `Documentation/Data.md` has the measurements behind both numbers.
struct PerceptualHash: Sendable {
    /// The most bits that differ between images taken for the same.
    static let maximumDistance = 6
    /// The least correlation between images taken for the same.
    static let minimumCorrelation: Float = 0.98

    /// The bits, the lowest frequency in bit 1; bit 0 stands for the mean and is 0.
    let bits: UInt64
    /// The mean brightness of 16 × 16 blocks, rounded.
    let blocks: [UInt8]

    static let side = 32
    private static let kept = 8
    /// The least standard deviation of the blocks, in levels of 255: a plain area looks like any other.
    private static let minimumDeviation: Float = 2

    private static let resizer = try? ImageResizer(
        rule: ImageRule(height: side, width: side, channels: 1, resize: .antialias))

    /// A hash that is known.
    init(bits: UInt64, blocks: [UInt8]) { (self.bits, self.blocks) = (bits, blocks) }

    /// The hash of a grey image; `nil` where it shows nothing that would tell it from another plain area.
    init?(_ image: DecodedImage) {
        guard let resizer = Self.resizer, image.channels == 1 else { return nil }
        let side = Self.side
        let values = [Float](unsafeUninitializedCapacity: side * side) { buffer, count in
            resizer.resize(image, into: buffer)
            count = side * side
        }
        blocks = Self.blocks(of: values)
        guard Self.deviation(of: blocks) >= Self.minimumDeviation else { return nil }
        let frequencies = Self.lowFrequencies(of: values).dropFirst()
        let sorted = frequencies.sorted()
        let median = sorted[sorted.count / 2]
        bits = frequencies.enumerated().reduce(0) { $0 | ($1.element > median ? 1 << (UInt64($1.offset) + 1) : 0) }
    }

    /// How many bits differ.
    func distance(to other: PerceptualHash) -> Int { (bits ^ other.bits).nonzeroBitCount }

    /// How the blocks correlate: 1 for images that differ in brightness and contrast alone.
    func correlation(with other: PerceptualHash) -> Float {
        var (x, y, xx, yy, xy): (Float, Float, Float, Float, Float) = (0, 0, 0, 0, 0)
        for (left, right) in zip(blocks, other.blocks) {
            let (left, right) = (Float(left), Float(right))
            x += left
            y += right
            xx += left * left
            yy += right * right
            xy += left * right
        }
        let count = Float(blocks.count)
        let scale = ((count * xx - x * x) * (count * yy - y * y)).squareRoot()
        return scale > 0 ? (count * xy - x * y) / scale : 0
    }

    /// Means of 2 × 2 values.
    private static func blocks(of values: [Float]) -> [UInt8] {
        var blocks: [UInt8] = []
        blocks.reserveCapacity(side * side / 4)
        for y in stride(from: 0, to: side, by: 2) {
            for x in stride(from: 0, to: side, by: 2) {
                let first = y * side + x
                let sum = values[first] + values[first + 1] + values[first + side] + values[first + side + 1]
                blocks.append(UInt8(min(255, max(0, (sum / 4).rounded()))))
            }
        }
        return blocks
    }

    private static func deviation(of blocks: [UInt8]) -> Float {
        let count = Float(blocks.count)
        let mean = blocks.reduce(0) { $0 + Float($1) } / count
        return (blocks.reduce(0) { $0 + (Float($1) - mean) * (Float($1) - mean) } / count).squareRoot()
    }

    /// `cosines[u · side + x] = c(u) cos(π(2x + 1)u / 2 side)`
    private static let cosines: [Float] = (0..<kept).flatMap { frequency in
        (0..<side).map { position in
            let scale = (frequency == 0 ? 1.0 : 2.0) / Double(side)
            return Float(
                scale.squareRoot() * cos(.pi * Double((2 * position + 1) * frequency) / Double(2 * side)))
        }
    }

    /// The lowest frequencies of both axes, row by row.
    private static func lowFrequencies(of values: [Float]) -> [Float] {
        var rows = [Float](repeating: 0, count: side * kept)
        for y in 0..<side {
            for u in 0..<kept {
                var sum: Float = 0
                for x in 0..<side { sum += values[y * side + x] * cosines[u * side + x] }
                rows[y * kept + u] = sum
            }
        }
        var result = [Float](repeating: 0, count: kept * kept)
        for v in 0..<kept {
            for u in 0..<kept {
                var sum: Float = 0
                for y in 0..<side { sum += rows[y * kept + u] * cosines[v * side + y] }
                result[v * kept + u] = sum
            }
        }
        return result
    }
}
