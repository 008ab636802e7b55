/// What `crop` (``ImageFit``) would cut off of images that are not square, as the networks' inputs are.
public struct CropLoss: Sendable, Hashable {
    /// How many images would lose more than ``leastShare``.
    public let imageCount: Int
    /// The share of an image that those lose, on average.
    public let mean: Double
    /// The share that the one loses which loses most.
    public let most: Double
    /// Some of those that lose most.
    public let worst: [String]

    /// Less than this share of an image is not counted.
    public static let leastShare = 0.02
    private static let shownPaths = 5

    /// `nil` where no image loses anything.
    init?(_ losses: [(path: String, share: Double)]) {
        let lossy = losses.filter { $0.share >= Self.leastShare }
            .sorted { ($1.share, $0.path) < ($0.share, $1.path) }
        guard let first = lossy.first else { return nil }
        imageCount = lossy.count
        mean = lossy.reduce(0) { $0 + $1.share } / Double(lossy.count)
        most = first.share
        worst = lossy.prefix(Self.shownPaths).map(\.path)
    }

    /// The share of an image of this size that a square from its middle leaves out.
    static func share(width: Int, height: Int) -> Double {
        1 - Double(min(width, height)) / Double(max(width, height, 1))
    }
}
