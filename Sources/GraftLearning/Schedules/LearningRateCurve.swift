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

    /// A rate to train with: a tenth of the one where the smoothed loss is smallest. `nil` where the loss never falls.
    ///
    /// At the smallest loss the rate is already on the way to too large: what it still gains there it owes to the steps
    /// before, and a little further on training comes apart. A tenth of it lies on the slope, where the loss falls. The
    /// steepest point itself would need a slope of noisy figures, and the smoothing moves it towards the smallest loss by
    /// half a decade and more.
    ///
    /// Source: fastai, `callback/schedule.py`, `minimum`; L. Smith, arXiv:1506.01186, section 3.3.
    public var suggested: Float? {
        let smoothed = smoothedLosses
        // The average of the first tenth is hardly smooth: one lucky batch would decide.
        let first = smoothed.count / 10
        guard let lowest = smoothed.indices.min(by: { smoothed[$0] < smoothed[$1] }), lowest > first else { return nil }
        return rates[lowest] / 10
    }
}

extension Float {
    /// With two digits that count, as learning rates are given: `0.00012`.
    package var asLearningRate: String {
        guard isFinite, let rounded = Float(String(format: "%.1e", self)) else { return "\(self)" }
        return "\(rounded)"
    }
}
