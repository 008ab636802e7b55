import Foundation

/// What the loss did while the learning rate rose.
public struct LearningRateCurve: Sendable, Hashable {
    /// The rate of each step, ascending.
    public let rates: [Float]
    /// The loss of each step, before it changed the variables.
    public let losses: [Double]

    /// A curve of these points.
    ///
    /// - Precondition: as many rates as losses.
    public init(rates: [Float], losses: [Double]) {
        precondition(rates.count == losses.count, "\(rates.count) rates do not fit \(losses.count) losses")
        (self.rates, self.losses) = (rates, losses)
    }

    /// The losses with less noise: their exponential moving average with the momentum 0.9, corrected for its beginning
    /// as ``Adam``'s mean is.
    public var smoothedLosses: [Double] {
        var (average, weight) = (0.0, 0.0)
        return losses.map { loss in
            average = 0.9 * average + 0.1 * loss
            weight = 0.9 * weight + 0.1
            return average / weight
        }
    }

    /// A rate to train with: the one where the smoothed loss falls fastest over the logarithm of the rate, before it is
    /// smallest. `nil` where it never falls.
    ///
    /// The slope is that of a straight line through a fifth of the points, and the first tenth, whose average is hardly
    /// smooth, is left out, so that one lucky batch does not decide.
    ///
    /// Source: L. Smith, arXiv:1506.01186; the steepest point as in fastai's `lr_find`.
    public var suggested: Float? {
        let smoothed = smoothedLosses
        let first = smoothed.count / 10
        guard let lowest = smoothed.indices.min(by: { smoothed[$0] < smoothed[$1] }), lowest > first else { return nil }
        var best: (slope: Double, index: Int)?
        for index in first...lowest {
            let slope = slope(of: smoothed, around: index, upTo: lowest)
            if slope < min(best?.slope ?? 0, 0) { best = (slope, index) }
        }
        return best.map { rates[$0.index] }
    }

    /// The least squares slope of the losses over the logarithm of the rates, of the points up to a tenth of all away.
    private func slope(of losses: [Double], around index: Int, upTo end: Int) -> Double {
        let reach = max(losses.count / 10, 2)
        let points = max(index - reach, 0)...min(index + reach, end)
        let x = points.map { log(Double(rates[$0])) }
        let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), losses[points].reduce(0, +) / Double(x.count))
        let spread = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
        guard spread > 0 else { return 0 }
        return zip(x, losses[points]).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / spread
    }
}
