import GraftGraph

/// What is done to kept features each time that they are read for a step: augmentation that takes no pass of the trunk.
///
/// Brightness per channel: `f + δ · (max − min)`, δ uniform in −s…s for each example, epoch and channel, with the channel's largest
/// and smallest value over the training examples. All places of a feature map get their channel's δ. Features are not cut off.
///
/// Source: Bär et al., "Frozen feature augmentation for few-shot image classification", arXiv:2403.10519, brightness of the
/// kind that maps and draws each channel by itself; there the range is that of a map's places, which pooled features do not have.
public struct FeatureAugmentation: Sendable, Hashable, CustomStringConvertible {
    /// The largest change as a share of the channel's range, more than 0 and at most 10; 1 by default.
    public let brightness: Double

    /// The forms that the text may take, for messages and help.
    public static let forms = "brightness[:SHARE]"

    /// A change of this size.
    ///
    /// - Throws: `GraftError` with code `argument` for a share out of its range.
    public init(brightness: Double = 1) throws(GraftError) {
        guard brightness > 0, brightness <= 10 else {
            throw GraftError(
                .argument, "the brightness of features is \(brightness); it must be more than 0 and at most 10")
        }
        self.brightness = brightness
    }

    /// Reads `brightness` or `brightness:0.5`.
    ///
    /// - Throws: `GraftError` with code `argument` for anything else.
    public init(_ text: String) throws(GraftError) {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.first == "brightness", fields.count <= 2, let share = fields.count == 2 ? Double(fields[1]) : 1
        else {
            throw GraftError(.argument, "'\(text)' is no augmentation of features; the form is \(Self.forms)")
        }
        try self.init(brightness: share)
    }

    /// The text that gives the same.
    public var description: String { "brightness:\(brightness)" }
}
