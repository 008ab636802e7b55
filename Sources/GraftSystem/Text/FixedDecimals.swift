import Foundation

extension Double {
    /// With so many digits behind the point.
    package func fixed(_ digits: Int) -> String { isNaN ? "nan" : String(format: "%.\(digits)f", self) }
}
