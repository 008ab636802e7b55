import GraftGraph

/// Pastes a rectangle of a partner into each example of a batch, and mixes their targets by area.
///
/// λ is drawn from Beta(α, α). The rectangle has the share 1 − λ of the image's area and its proportions, its centre lies anywhere
/// and what is outside the image is cut off; the example's own share of the target is what is left of its area.
///
/// Source: Yun et al., "CutMix: Regularization strategy to train strong classifiers with localizable features",
/// arXiv:1905.04899. torchvision's and Keras's `CutMix` draw one λ and one rectangle a batch; here each example has its own.
public struct CutMix: Codable, Hashable, Sendable {
    /// How large rectangles are, more than 0 and at most 1000: nothing or all for small ones, any size for 1, half of the area for
    /// large ones. Default 1, the paper's.
    public let alpha: Double

    /// A mix with rectangles of this kind.
    ///
    /// - Throws: `GraftError` with code `argument` for an `alpha` out of its range.
    public init(alpha: Double = 1) throws(GraftError) {
        guard alpha > 0, alpha <= 1000 else {
            throw GraftError(.argument, "CutMix's alpha is \(alpha); it must be more than 0 and at most 1000")
        }
        self.alpha = alpha
    }

    /// Reads what `encode` wrote.
    public init(from decoder: any Decoder) throws {
        try self.init(alpha: decoder.container(keyedBy: CodingKeys.self).decode(Double.self, forKey: .alpha))
    }
}

/// A rectangle of an image, in shares of its height and width.
package struct CutRectangle: Hashable, Sendable {
    /// Its centre, 0…1.
    let centre: (y: Double, x: Double)
    /// Its height and width before it is cut off at the border, as shares.
    let side: Double

    package static func == (first: Self, second: Self) -> Bool {
        first.centre == second.centre && first.side == second.side
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(side) }

    /// The rows and columns of an image that lie in it, as torchvision cuts them.
    func pixels(height: Int, width: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        func range(_ centre: Double, _ count: Int) -> Range<Int> {
            let (middle, half) = (min(Int(centre * Double(count)), count - 1), Int(0.5 * side * Double(count)))
            return max(middle - half, 0)..<min(middle + half, count)
        }
        return (range(centre.y, height), range(centre.x, width))
    }
}
