/// How much a search may do.
public enum SearchBudget: Sendable, Hashable {
    /// Wall time, the final training included.
    case minutes(Double)
    /// So many heads are trained and judged, whatever the time: the same seed and machine give the same choice.
    case trials(Int)

    /// - Throws: `GraftError` with code `argument` for what leaves nothing to do.
    func validate() throws(GraftError) {
        switch self {
        case .minutes(let minutes):
            guard minutes > 0, minutes <= 100_000 else {
                throw GraftError(.argument, "minutes: \(minutes); a search needs more than 0 and at most 100000")
            }
        case .trials(let count):
            guard (1...1_000_000).contains(count) else {
                throw GraftError(.argument, "trials: \(count); a search needs 1 to 1000000")
            }
        }
    }

    /// The wall time in seconds; `nil` for none.
    var seconds: Double? { if case .minutes(let minutes) = self { 60 * minutes } else { nil } }

    /// The most heads that are trained; `nil` for as many as there is time for.
    var trials: Int? { if case .trials(let count) = self { count } else { nil } }
}

/// What is left of a search's time, and what is kept of it for the end.
package struct SearchClock: Sendable {
    private let seconds: Double?
    private let elapsedSeconds: @Sendable () -> Double
    /// What the final training and the writing of the model will take.
    package var reserve = 0.0

    /// - Parameters:
    ///   - seconds: the wall time in all; `nil` for no limit.
    ///   - elapsed: the seconds since the search began.
    package init(seconds: Double?, elapsed: @escaping @Sendable () -> Double) {
        (self.seconds, elapsedSeconds) = (seconds, elapsed)
    }

    /// The seconds since it began.
    package var elapsed: Double { elapsedSeconds() }

    /// The seconds until the final training has to begin; `nil` without a limit.
    package var left: Double? { seconds.map { max($0 - elapsed - reserve, 0) } }

    /// The seconds until the end, the final training included; `nil` without a limit.
    package var leftUntilEnd: Double? { seconds.map { max($0 - elapsed, 0) } }

    /// Whether the final training has to begin.
    package var isOver: Bool { left.map { $0 <= 0 } ?? false }

    /// Whether work of so many seconds ends before the final training has to begin; without a measurement, whether there is any
    /// time.
    package func fits(_ seconds: Double?) -> Bool { left.map { (seconds ?? 0) < $0 } ?? true }
}

/// What pieces of work of a kind cost, by what was measured.
package struct SearchCosts: Sendable {
    private var measured: [String: (seconds: Double, units: Double)] = [:]
    /// What a prediction adds, as no two pieces take the same.
    package static let margin = 1.15

    package init() {}

    /// Remembers that work of so many units took so long.
    package mutating func note(_ kind: String, units: Double, seconds: Double) {
        let before = measured[kind] ?? (0, 0)
        measured[kind] = (before.seconds + seconds, before.units + units)
    }

    /// The seconds that so many units will take; `nil` where nothing of the kind was measured.
    package func seconds(_ kind: String, units: Double) -> Double? {
        measured[kind].flatMap { $0.units > 0 ? Self.margin * units * $0.seconds / $0.units : nil }
    }
}
