import GraftGraph
import GraftRuntime

/// What convolutions compute in, and why: ``Precision/automatic`` settled by what bfloat16 would cost.
///
/// ```swift
/// let settled = try SettledPrecision(.automatic) { try features.costOfBFloat16(on: photos.training) }
/// options.precision = settled.precision
/// ```
public struct SettledPrecision: Sendable, Hashable {
    /// Why a precision was taken.
    public enum Reason: Sendable, Hashable {
        /// It was asked for.
        case asked
        /// A run continues in what it was begun with.
        case resumed
        /// The processor has instructions for bfloat16, or has none.
        case processor
        /// Features in bfloat16 would be too far from those in float32.
        case distance
        /// The network has nothing that computes in bfloat16: features are the same bits.
        case same
    }

    /// ``Precision/float32`` or ``Precision/bfloat16``.
    public let precision: Precision
    /// Why.
    public let reason: Reason
    /// How far features in bfloat16 are from those in float32, as ``GraftModel/Model/costOfBFloat16(on:count:options:)``
    /// measures it; `nil` where it was not measured.
    public let distance: Double?

    /// More than this and ``Precision/automatic`` takes float32. InceptionV3 stays below 3 %, with accuracies that do not
    /// differ from float32's by more than other seeds do, EfficientNet-Lite0 below 6 %; MobileNetV2 comes to 13 %.
    public static let limit = 0.1

    /// Whether ``distance`` is beyond ``limit``.
    public var isFar: Bool { Self.isFar(distance) }

    private static func isFar(_ distance: Double?) -> Bool { distance.map { $0 > limit } ?? false }

    /// - Parameters:
    ///   - choice: what was asked for.
    ///   - resumed: what the run was begun with, where it continues; `automatic` keeps it.
    ///   - measure: how far features in bfloat16 are from those in float32; `nil` where it cannot be told. Asked only where
    ///     bfloat16 is possible.
    /// - Throws: `GraftError` with code `argument` where bfloat16 is asked for and the processor does not have it.
    public init(
        _ choice: Precision, resumed: Precision? = nil, measure: () throws -> Double?
    ) throws {
        let resolved = try (resumed ?? choice).resolved()
        if let resumed, choice == .automatic {
            self.init(resumed, .resumed)
        } else if resolved == .float32 {
            self.init(.float32, choice == .automatic ? .processor : .asked)
        } else {
            self.init(choice, distance: try measure())
        }
    }

    /// Without a measurement: by the processor alone.
    ///
    /// - Throws: `GraftError` with code `argument` where bfloat16 is asked for and the processor does not have it.
    public init(unmeasured choice: Precision) throws(GraftError) {
        self.init(try choice.resolved(), choice == .automatic ? .processor : .asked)
    }

    /// Where the processor has bfloat16 and it was not refused.
    package init(_ choice: Precision, distance: Double?) {
        switch (choice, Self.isFar(distance)) {
        // Only convolutions compute in bfloat16.
        case _ where distance == 0: self.init(.float32, .same)
        case (.automatic, true): self.init(.float32, .distance, distance)
        case (.automatic, false): self.init(.bfloat16, .processor, distance)
        default: self.init(.bfloat16, .asked, distance)
        }
    }

    private init(_ precision: Precision, _ reason: Reason, _ distance: Double? = nil) {
        (self.precision, self.reason, self.distance) = (precision, reason, distance)
    }
}
