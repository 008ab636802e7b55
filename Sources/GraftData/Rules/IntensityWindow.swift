import GraftGraph

/// The part of the values of a scan that becomes the brightness from black to white: `width` values about `center`. What lies
/// below is black, what lies above white. For CT the values are Hounsfield units: 40:400 shows soft tissue, −600:1500 lungs.
public struct IntensityWindow: Codable, Hashable, Sendable {
    /// The value in the middle: the level.
    public let center: Double
    /// How many values there are from black to white.
    public let width: Double

    /// A window.
    ///
    /// - Throws: `GraftError` with code `argument` unless both are finite and the width is at least 1.
    public init(center: Double, width: Double) throws(GraftError) {
        guard center.isFinite, width.isFinite, width >= 1 else {
            throw GraftError(.argument, "a window has a center and a width of at least 1, not \(center) and \(width)")
        }
        (self.center, self.width) = (center, width)
    }
}

extension IntensityWindow: LosslessStringConvertible {
    /// A window as `center:width`; `nil` for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let center = parts[0], let width = parts[1],
            let window = try? IntensityWindow(center: center, width: width)
        else { return nil }
        self = window
    }

    /// As `center:width`.
    public var description: String { "\(Self.text(center)):\(Self.text(width))" }

    private static func text(_ number: Double) -> String {
        Int(exactly: number).map { String($0) } ?? String(number)
    }
}
