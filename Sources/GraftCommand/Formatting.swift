import Foundation
import GraftSystem

extension Int {
    /// With its noun: `1 image`, `1,399 images`.
    func of(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }

    /// A size for people: `1.2 GB`.
    var asByteCount: String { Disk.text(byteCount: self) }
}

extension Double {
    /// Seconds as people say them: `0.82 s`, `34.1 s`, `2 min 5 s`.
    var asDuration: String {
        switch self {
        case ..<10: "\(fixed(2)) s"
        case ..<100: "\(fixed(1)) s"
        default: asTimeLeft
        }
    }

    /// Seconds without fractions, for a number that changes as one looks: `34 s`, `2 min 5 s`, `3 h 12 min`.
    var asTimeLeft: String {
        guard self < 1e9 else { return "very long" }
        let seconds = Int(rounded(.up))
        return switch seconds {
        case ..<100: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
        default: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        }
    }
}

extension Duration {
    /// In seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension ContinuousClock.Instant {
    /// Seconds since then.
    var secondsAgo: Double { (ContinuousClock.now - self).seconds }
}
