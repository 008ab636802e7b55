import Graft

/// What convolutions compute in, and why.
struct SettledPrecision {
    /// `float32` or `bfloat16`.
    let precision: PrecisionOption
    let reason: String
    /// How far features in bfloat16 are from those in float32, where it was measured.
    private(set) var distance: Double?

    /// More than this and `auto` takes float32. InceptionV3 stays below 3 %, with accuracies that do not differ from float32's
    /// by more than other seeds do, EfficientNet-Lite0 below 6 %; MobileNetV2 comes to 13 %.
    static let limit = 0.1

    init(precision: PrecisionOption, reason: String) { (self.precision, self.reason) = (precision, reason) }

    /// - Parameters:
    ///   - choice: what was asked for.
    ///   - resumed: what the run was begun with, where it goes on.
    ///   - measure: how far features in bfloat16 are from those in float32; `nil` where it cannot be told.
    /// - Throws: `GraftError` where bfloat16 is asked for and the processor does not have it.
    init(_ choice: PrecisionOption, resumed: PrecisionOption?, measure: () throws -> Double?) throws {
        let resolved = try (resumed ?? choice).precision.resolved()
        if let resumed, choice == .auto {
            self.init(precision: resumed, reason: "as the run was begun")
        } else if resolved == .float32 {
            self.init(precision: .float32, reason: choice == .auto ? Self.reasonOfProcessor(resolved) : "as asked")
        } else {
            self.init(choice, distance: try measure())
        }
    }

    /// Where the processor has bfloat16 and it was not refused.
    init(_ choice: PrecisionOption, distance: Double?) {
        let share = distance.map { "\(($0 * 100).fixed(1)) %" } ?? ""
        let isMuch = distance.map { $0 > Self.limit } ?? false
        switch (choice, isMuch) {
        case (.auto, true):
            self.init(
                precision: .float32,
                reason:
                    "in bfloat16, which this processor has instructions for, this network's features would be off by "
                    + "\(share) on a few of the images; --precision bfloat16 takes it all the same")
        case (.auto, false):
            self.init(
                precision: .bfloat16,
                reason: Self.reasonOfProcessor(.bfloat16)
                    + (distance == nil ? "" : "; features are off by \(share) on a few of the images"))
        case (_, true):
            self.init(
                precision: .bfloat16,
                reason:
                    "as asked, though this network's features are off by \(share) on a few of the images; --precision "
                    + "float32 has Keras's numbers")
        case (_, false): self.init(precision: .bfloat16, reason: "as asked")
        }
        self.distance = distance
    }

    static func reasonOfProcessor(_ resolved: Precision) -> String {
        resolved == .bfloat16
            ? "this processor has instructions for it; --precision float32 gives Keras's numbers"
            : "this processor has no instructions for bfloat16"
    }

    func tell(optimizerState: ElementType = .float32, on console: Console) {
        console.say("computing in \(precision.rawValue): \(reason)")
        var object = JSONObject(event: "precision")
        object.add("precision", .string(precision.rawValue))
        object.add("reason", .string(reason))
        if let distance { object.add("distance", .number(distance)) }
        if optimizerState != .float32 {
            console.say("the optimizer's state is stored in \(optimizerState.rawValue)")
            object.add("optimizer_state", .string(optimizerState.rawValue))
        }
        console.emit(object)
    }
}
