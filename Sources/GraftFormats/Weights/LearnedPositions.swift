import GraftModel

/// The vectors that a vision transformer learned for the places of an image: one for the whole image, then a square of rows.
///
/// They are brought to another grid by bicubic interpolation between the middles of places, as PyTorch's `interpolate` does it:
/// with a = −0.75, edges repeated; or with antialiasing and a = −0.5, weights outside left out, as timm does it.
///
/// Sources: torch.nn.functional.interpolate, `mode="bicubic", align_corners=False`; transformers, `interpolate_pos_encoding`;
/// timm/layers/pos_embed.py, `resample_abs_pos_embed`.
struct LearnedPositions {
    /// Rows and columns of the square.
    private let side: Int
    private let width: Int

    /// Positions of a stored shape, `(1, 1 + side², width)`; `nil` for another one.
    init?(_ shape: Shape, width: Int) {
        guard width > 0, shape.rank >= 2, shape.last == width, shape.elementCount == shape[shape.rank - 2] * width
        else {
            return nil
        }
        let places = shape[shape.rank - 2] - 1
        let side = Int(Double(max(places, 0)).squareRoot().rounded())
        guard side > 0, side * side == places else { return nil }
        (self.side, self.width) = (side, width)
    }

    /// The positions of another grid.
    func resampled(_ stored: Tensor, to grid: PyTorchModule.Grid) -> Tensor {
        let rows = Self.weights(from: side, to: grid.rows, antialiases: grid.antialiases)
        let columns = Self.weights(from: side, to: grid.columns, antialiases: grid.antialiases)
        return Tensor(uninitialized: [grid.rows * grid.columns + 1, width]) { target in
            stored.withUnsafeBuffer { source in
                for channel in 0..<width { target[channel] = source[channel] }
                for (row, rowWeights) in rows.enumerated() {
                    for (column, columnWeights) in columns.enumerated() {
                        let place = (row * grid.columns + column + 1) * width
                        for channel in 0..<width {
                            var sum = 0.0
                            for (y, rowWeight) in rowWeights {
                                for (x, columnWeight) in columnWeights {
                                    let number = source[(y * side + x + 1) * width + channel]
                                    sum += rowWeight * columnWeight * Double(number)
                                }
                            }
                            target[place + channel] = Float(sum)
                        }
                    }
                }
            }
        }
    }

    /// Which old places each new one is made of, with their weights.
    private static func weights(from old: Int, to new: Int, antialiases: Bool) -> [[(place: Int, weight: Double)]] {
        let scale = Double(old) / Double(new)
        let stretch = antialiases ? max(scale, 1) : 1
        return (0..<new).map { position in
            let center = (Double(position) + 0.5) * scale - 0.5
            let range = Int((center - 2 * stretch).rounded(.down))...Int((center + 2 * stretch).rounded(.up))
            var weights: [Int: Double] = [:]
            for place in range {
                let weight = cubic((Double(place) - center) / stretch, a: antialiases ? -0.5 : -0.75)
                if antialiases, !(0..<old).contains(place) { continue }
                weights[min(max(place, 0), old - 1), default: 0] += weight
            }
            let sum = weights.values.reduce(0, +)
            return weights.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value / sum) }
        }
    }

    /// Keys' kernel.
    private static func cubic(_ distance: Double, a: Double) -> Double {
        let x = abs(distance)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}
