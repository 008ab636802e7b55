import GraftGraph

/// What becomes of one example of a batch.
package struct ExampleMix: Sendable {
    /// The row that it is mixed with; itself where it is alone.
    package let partner: Int
    /// Its own share, 0…1, before a rectangle is cut off at the border.
    package let weight: Float
    /// What of the partner is pasted; `nil` where all values are mixed.
    package let rectangle: CutRectangle?
}

/// Mixes the examples of a batch and their targets, by ``MixUp``, ``CutMix``, or, where there are both, one of them for each
/// example with equal chances.
///
/// All of it is a function of seed, epoch and the example's number, but which example the partner is follows from the batch.
package struct ExampleMixing: Sendable {
    package let mixUp: MixUp?
    package let cutMix: CutMix?
    package let seed: UInt64

    /// Nothing is mixed where both are `nil`.
    package init(mixUp: MixUp?, cutMix: CutMix?, seed: UInt64) {
        (self.mixUp, self.cutMix, self.seed) = (mixUp, cutMix, seed)
    }

    /// What becomes of each example of a batch.
    package func mixes(of indices: [Int], epoch: Int) -> [ExampleMix] {
        let mixing = mixUp.map { $0.mixing(of: indices, seed: seed, epoch: epoch) }
        return indices.enumerated().map { row, index in
            var draws = MixingDraws(seed: seed ^ 0x4375_744D_6978, epoch: epoch, index: index)
            let isCut = draws.uniform() < 0.5
            if let mixing, cutMix == nil || !isCut {
                return ExampleMix(partner: mixing.partners[row], weight: mixing.weights[row], rectangle: nil)
            }
            guard let cutMix else { return ExampleMix(partner: row, weight: 1, rectangle: nil) }
            let partner = draws.partner(ofRow: row, among: indices.count)
            let weight = draws.beta(cutMix.alpha)
            return ExampleMix(
                partner: partner, weight: Float(weight),
                rectangle: CutRectangle(
                    centre: (draws.uniform(), draws.uniform()), side: max(1 - weight, 0).squareRoot()))
        }
    }

    /// Mixes inputs and targets.
    ///
    /// - Parameter inputs: (batch, height, width, channels) where rectangles are cut. Of several the first says which share of the
    ///   targets each has.
    /// - Returns: both, mixed.
    package static func apply(
        _ mixes: [ExampleMix], to inputs: [Tensor], _ targets: [Tensor]
    ) -> (inputs: [Tensor], targets: [Tensor]) {
        let weights = mixes.map { mix in share(mix, inputs.first) }
        let mixedInputs = inputs.map { input in
            input.replacingRows { row, source, target in
                mix(mixes[row], input.shape, row: row, source, target)
            }
        }
        let mixedTargets = targets.map { targets in
            targets.replacingRows { row, source, target in
                blend(row, mixes[row].partner, weights[row], source, target)
            }
        }
        return (mixedInputs, mixedTargets)
    }

    /// An example's own share of the target.
    private static func share(_ mix: ExampleMix, _ input: Tensor?) -> Float {
        guard let rectangle = mix.rectangle, let shape = input?.shape, shape.rank == 4 else { return mix.weight }
        let (rows, columns) = rectangle.pixels(height: shape[1], width: shape[2])
        return 1 - Float(rows.count * columns.count) / Float(shape[1] * shape[2])
    }

    private typealias Source = UnsafeBufferPointer<Float>
    private typealias Target = UnsafeMutableBufferPointer<Float>

    /// `λ·x + (1 − λ)·x_partner` of a row.
    private static func blend(_ row: Int, _ partner: Int, _ weight: Float, _ source: Source, _ target: Target) {
        let (own, other) = (row * target.count, partner * target.count)
        for index in target.indices {
            target[index] = weight * source[own + index] + (1 - weight) * source[other + index]
        }
    }

    private static func mix(_ mix: ExampleMix, _ shape: Shape, row: Int, _ source: Source, _ target: Target) {
        guard let rectangle = mix.rectangle else { return blend(row, mix.partner, mix.weight, source, target) }
        _ = target.update(fromContentsOf: source[(row * target.count)..<((row + 1) * target.count)])
        guard shape.rank == 4 else { return }
        let (rows, columns) = rectangle.pixels(height: shape[1], width: shape[2])
        let channels = shape[3]
        for line in rows {
            let start = (line * shape[2] + columns.lowerBound) * channels
            for index in start..<(start + columns.count * channels) {
                target[index] = source[mix.partner * target.count + index]
            }
        }
    }
}

extension Tensor {
    /// A tensor of the same shape whose rows of the first axis are written one by one from all of this one's elements.
    fileprivate func replacingRows(
        _ write: (_ row: Int, _ source: UnsafeBufferPointer<Float>, _ target: UnsafeMutableBufferPointer<Float>) -> Void
    ) -> Tensor {
        let (count, rows) = (self.count, shape.rank > 0 ? shape[0] : 0)
        guard rows > 0 else { return self }
        return withUnsafeBuffer { source in
            Tensor(uninitialized: shape) { target in
                target.initialize(repeating: 0)
                for row in 0..<rows {
                    let part = (row * (count / rows))..<((row + 1) * (count / rows))
                    write(row, source, UnsafeMutableBufferPointer(rebasing: target[part]))
                }
            }
        }
    }
}
