import ArgumentParser
import Graft

/// The views of an image that answers are the mean over, for `predict` and `evaluate`.
struct ViewArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Answer by the mean of the probabilities of the image itself and of N views of it; takes N times longer in "
                + "addition. (default: none)", valueName: "N"))
    var views: Int?

    @Option(
        help: ArgumentHelp(
            "How views differ from the image; see graft train. What a view hides, nobody can see. (default: "
                + "\(usual))", valueName: "recipe"))
    var augment: String?

    @Option(help: ArgumentHelp("Another number gives other views. (default: 0)", valueName: "N"))
    var viewSeed: UInt64?

    /// A part of the image in its own proportions, or its mirror image.
    private static let usual = "flip,crop:0.7:1"

    func validate() throws {
        if let views { try require((1...10_000).contains(views), "--views", views, "1 to 10000") }
        if views == nil, augment != nil || viewSeed != nil {
            throw ValidationError("--augment and --view-seed need --views, such as --views 8")
        }
        try asUsage { () throws(GraftError) in _ = try choice }
    }

    /// What was asked for; `nil` for the image alone.
    var choice: TestTimeViews? {
        get throws(GraftError) {
            guard let views else { return nil }
            return TestTimeViews(try Augmentation(option: augment ?? Self.usual), count: views, seed: viewSeed ?? 0)
        }
    }
}
