/// Which operations are drawn at random for a view, and how strong they are: recipes that need no tuning.
///
/// The operations, their order and their magnitudes in 31 bins are those of torchvision (`RandAugment`, `TrivialAugmentWide` of
/// version 0.28). Two things differ, so that a view does not depend on the size it is drawn in and stays sharp:
/// TrivialAugment's shift of up to 32 pixels is 32/224 of the side, and shifts are not cut off to whole pixels; the geometry is part
/// of the view's one map, interpolated bilinearly once, and what lies outside is what the recipe's fill says, where
/// torchvision takes the nearest pixel after each operation and black.
public enum AugmentationPolicy: Hashable, Sendable {
    /// So many operations, 1…14, of one magnitude, 0…30, each drawn from all 14; 2 of magnitude 9 in torchvision. Source: Cubuk
    /// et al., "RandAugment: Practical automated data augmentation with a reduced search space", arXiv:1909.13719.
    case randAugment(operations: Int, magnitude: Int)
    /// One operation of a magnitude that is drawn too, up to strong ones. Source: Müller and Hutter, "TrivialAugment:
    /// Tuning-free yet state-of-the-art data augmentation", arXiv:2103.10158.
    case trivialAugment

    /// The magnitudes are numbered up to this one.
    static let largestBin = 30

    /// How many operations a view has.
    var operationCount: Int {
        switch self {
        case .randAugment(let operations, _): operations
        case .trivialAugment: 1
        }
    }

    /// The bin of an operation's magnitude.
    ///
    /// - Parameter draw: a random number, 0..<1.
    func bin(_ draw: Double) -> Int {
        switch self {
        case .randAugment(_, let magnitude): magnitude
        case .trivialAugment: min(Int(draw * Double(Self.largestBin + 1)), Self.largestBin)
        }
    }

    /// How strong an operation is in a bin: the tables of torchvision, shifts as fractions of the side.
    func magnitude(of kind: PolicyOperation.Kind, bin: Int) -> Double {
        let share = Double(bin) / Double(Self.largestBin)
        let isWide = self == .trivialAugment
        return switch kind {
        case .identity, .autoContrast, .equalize: 0
        case .shearX, .shearY: (isWide ? 0.99 : 0.3) * share
        case .translateX, .translateY: (isWide ? 32.0 / 224 : 150.0 / 331) * share
        case .rotate: (isWide ? 135 : 30) * share
        case .brightness, .color, .contrast, .sharpness: (isWide ? 0.99 : 0.9) * share
        case .posterize: 8 - ((isWide ? 6 : 4) * share).rounded(.toNearestOrEven)
        case .solarize: 255 * (1 - share)
        }
    }
}

/// One operation of a policy, with its magnitude.
struct PolicyOperation: Hashable, Sendable {
    let kind: Kind
    /// In torchvision's units: the slope of a shear, a share of the side, degrees, the change of a factor, bits, a threshold.
    let magnitude: Double

    /// In torchvision's order.
    enum Kind: String, CaseIterable, Sendable {
        case identity, shearX, shearY, translateX, translateY, rotate, brightness, color, contrast, sharpness,
            posterize,
            solarize, autoContrast, equalize

        /// Whether half of the magnitudes are negative.
        var isSigned: Bool {
            switch self {
            case .identity, .posterize, .solarize, .autoContrast, .equalize: false
            default: true
            }
        }
    }

    /// From the changed image to the one before, in units of their height and width; `nil` for what changes colours.
    ///
    /// - Parameter aspect: the width by height.
    func map(aspect: Double) -> AffineMap? {
        switch kind {
        // About the upper left corner, as torchvision has it.
        case .shearX: AffineMap(xx: 1, xy: magnitude / aspect, x0: 0, yx: 0, yy: 1, y0: 0)
        case .shearY: AffineMap(xx: 1, xy: 0, x0: 0, yx: magnitude * aspect, yy: 1, y0: 0)
        case .translateX: .scaling(1, 1, movingBy: -magnitude, 0)
        case .translateY: .scaling(1, 1, movingBy: 0, -magnitude)
        case .rotate: ViewParameters.Transform(rotation: magnitude).map(aspect: aspect)
        default: nil
        }
    }
}
