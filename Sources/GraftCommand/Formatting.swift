import Foundation

extension Int {
    /// With separators between thousands: `47,512,481`.
    var grouped: String {
        var digits = String(magnitude)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (self < 0 ? "-" : "") + ([Substring(digits)] + groups).joined(separator: ",")
    }
}

extension Double {
    /// With so many digits behind the point.
    func fixed(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }

    /// Seconds as people say them: `0.82 s`, `34.1 s`, `2 min 5 s`.
    var asDuration: String {
        switch self {
        case ..<10: "\(fixed(2)) s"
        case ..<100: "\(fixed(1)) s"
        case ..<3600: "\(Int(self) / 60) min \(Int(self) % 60) s"
        default: "\(Int(self) / 3600) h \(Int(self) % 3600 / 60) min"
        }
    }
}

extension Duration {
    /// In seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
