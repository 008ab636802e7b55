import Foundation
import GraftData

/// A window with the function that takes values through it. Source: DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3.
struct IntensityWindowFunction: Sendable {
    /// DICOM's names.
    enum Shape: String, Sendable {
        case linear = "LINEAR"
        case linearExact = "LINEAR_EXACT"
        case sigmoid = "SIGMOID"
    }

    let window: IntensityWindow
    let shape: Shape

    /// What a person chose: DICOM's default function.
    init(_ window: IntensityWindow) { (self.window, shape) = (window, .linear) }

    /// The first window that a file suggests; `nil` where it has none, or one without a width.
    init?(_ file: DICOMReader) {
        guard let center = file.decimal(.windowCenter), let width = file.decimal(.windowWidth) else { return nil }
        shape = file.text(.windowFunction).flatMap(Shape.init) ?? .linear
        guard let window = try? IntensityWindow(center: center, width: width) else { return nil }
        self.window = window
    }

    /// From 0 to 255, not rounded:
    ///
    /// - `linear`: `((x − (c − ½)) / (w − 1) + ½) · 255`; a width of 1 is a threshold.
    /// - `linearExact`: `((x − c) / w + ½) · 255`.
    /// - `sigmoid`: `255 / (1 + exp(−4 (x − c) / w))`.
    func callAsFunction(_ value: Double) -> Double {
        let (center, width) = (window.center, window.width)
        let share: Double
        switch shape {
        case .linear:
            if width <= 1 { return value <= center - 0.5 ? 0 : 255 }
            share = (value - (center - 0.5)) / (width - 1) + 0.5
        case .linearExact: share = (value - center) / width + 0.5
        case .sigmoid: share = 1 / (1 + exp(-4 * (value - center) / width))
        }
        return 255 * min(max(share, 0), 1)
    }
}
