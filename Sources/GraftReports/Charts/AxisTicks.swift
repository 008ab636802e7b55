import Foundation

/// The numbers at an axis, and the range that it shows.
struct AxisTicks: Equatable {
    /// The first and the last number that the axis shows.
    let range: ClosedRange<Double>
    /// The numbers that are written there.
    let values: [Double]
    /// As they are written, all with the same digits.
    let labels: [String]

    /// Round numbers (1, 2 or 5 times a power of ten apart) around all of these; a range of its own where there are none.
    init(covering numbers: [Double], about count: Int = 5) {
        let finite = numbers.filter(\.isFinite)
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        // One number, or numbers that differ in their last bits: a range that shows a flat line in the middle.
        let least = max(abs(low), abs(high)) * 1e-6
        if high - low <= least {
            let margin = low == 0 ? 0.5 : abs(low) * 0.05
            (low, high) = (low - margin, high + margin)
        }
        let step = Self.roundStep((high - low) / Double(max(count - 1, 1)))
        let (first, last) = ((low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up))
        guard step.isNormal, last - first < 100 else {
            (range, values, labels) = (low...max(high, low.nextUp), [low, high], ["\(low)", "\(high)"])
            return
        }
        values = (0...Int(last - first)).map { (first + Double($0)) * step }
        range = first * step...last * step
        let digits = max(0, -Int(log10(step).rounded(.down)))
        labels = values.map { Self.text($0, digits: digits) }
    }

    /// Whole numbers from the first to the last, half a step of air on both sides.
    init(counting numbers: [Double], about count: Int = 10) {
        let finite = numbers.filter(\.isFinite)
        let (low, high) = (finite.min() ?? 1, finite.max() ?? 1)
        let step = max(1, Self.roundStep((high - low) / Double(count)).rounded())
        guard (high - low) / step < 100 else {
            (range, self.values, labels) = (low...high, [low, high], ["\(low)", "\(high)"])
            return
        }
        var values = Array(stride(from: (low / step).rounded(.up) * step, through: high, by: step))
        if step > 1, values.first.map({ $0 - low >= step / 2 }) ?? true { values.insert(low, at: 0) }
        self.values = values
        range = low - 0.5...high + 0.5
        labels = values.map { Self.text($0, digits: 0) }
    }

    /// Powers of ten around all of these, and 2 and 5 times them where the range is short.
    init(logarithmic numbers: [Double]) {
        let usable = numbers.filter { $0.isFinite && $0 > 0 }
        let (low, high) = (usable.min() ?? 1e-6, usable.max() ?? 1)
        let (first, last) = (Int(log10(low).rounded(.down)), Int(log10(high).rounded(.up)))
        let factors: [Double] = last - first > 3 ? [1] : [1, 2, 5]
        let all = (first...max(first, last)).flatMap { power in factors.map { $0 * pow(10, Double(power)) } }
        range = low...max(high, low * 1.0001)
        let shown = range
        values = all.filter { shown.lowerBound * 0.999 <= $0 && $0 <= shown.upperBound * 1.001 }
        labels = values.map { String(format: "%.0e", $0).replacing("e-0", with: "e-").replacing("e+00", with: "") }
    }

    /// 1, 2 or 5 times a power of ten, at least this.
    private static func roundStep(_ step: Double) -> Double {
        guard step > 0, step.isFinite else { return 1 }
        let power = pow(10, log10(step).rounded(.down))
        return ([1, 2, 5].first { $0 * power >= step * (1 - 1e-9) } ?? 10) * power
    }

    private static func text(_ number: Double, digits: Int) -> String {
        String(format: "%.\(min(digits, 12))f", number == 0 ? 0 : number)
    }
}
