import GraftData
import GraftGraph

/// Images divided into training, validation and test parts.
///
/// Every group of images has a place between 0 and 1: the first 64 bits of SHA-256 of the seed and the group's key, over 2⁶⁴.
/// Training is the first stretch of that line, validation the next, test the last. A group is all images that must not be torn
/// apart: those with the same bytes, those that look the same (``ImageAudit``), and those with the same text in the capture of
/// `groups`, such as a patient or a session. Its key is the smallest of those texts, or else the smallest digest of its files'
/// bytes. So
///
/// - a file stays on its side whatever else is added, removed, renamed or moved: bytes do not change with names, and a copy
///   lands beside its original. A file that looks like several others may join their groups to one, which then has one side;
/// - the shares hold on average. Of `n` groups of a class, the share `p` has a standard deviation of `√(p (1 − p) / n)`.
///
/// With `exact`, each class is divided by itself, and its groups in the order of their places fill the shares: exact to the
/// size of a group, but a file that is added moves those at the borders. Images with several labels form a class for each set
/// of labels; sets that one image alone has, as the numbers of a regression, are taken together.
public struct ImageSplit: Sendable {
    /// The images, each with its new part; those that cannot be read are among the problems.
    public let listing: ImageListing
    /// How many groups of more than one image there are.
    public let groupCount: Int

    /// How images are divided.
    public struct Options: Sendable {
        /// What each part gets.
        public var shares: SplitShares
        /// Another number gives another split.
        public var seed: UInt64
        /// Whether each class is divided exactly, at the price of files that move when others are added.
        public var exact: Bool
        /// A regular expression with one capture, on the path below the folder: images with the same text in it stay together.
        public var groups: String?

        /// Shares, and how they are reached.
        public init(_ shares: SplitShares, seed: UInt64 = 0, exact: Bool = false, groups: String? = nil) {
            (self.shares, self.seed, self.exact, self.groups) = (shares, seed, exact, groups)
        }
    }

    /// Divides the images of a folder or table; the parts that they have are not looked at.
    ///
    /// - Parameters:
    ///   - listing: the images.
    ///   - options: shares, seed and groups.
    ///   - threads: how many images are decoded at once; all cores where it is `nil`.
    ///   - progress: called after each image, from any thread.
    /// - Throws: `GraftError` with code `argument` for an expression that is none, has not one capture, or matches no image;
    ///   `data` where no image can be read.
    public init(
        of listing: ImageListing, _ options: Options, threads: Int? = nil,
        progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
    ) throws(GraftError) {
        let names = try GroupNames(options.groups).names(of: listing.entries)
        let examined = ExaminedImages(listing.entries.map(\.path), threads: threads, progress: progress)
        var grouping = ImageGrouping(listing, examined, names)
        let usable = examined.files.indices.filter { examined.files[$0].isUsable }
        guard !usable.isEmpty else {
            throw GraftError(.data, "\(listing.path): none of its \(listing.entries.count) images can be read")
        }
        let parts = grouping.parts(options)
        self.listing = ImageListing(
            path: listing.path,
            entries: usable.map {
                let entry = listing.entries[$0]
                return ImageListing.Entry(
                    path: entry.path, name: entry.name, part: parts[$0] ?? .training, labels: entry.labels)
            },
            problems: listing.problems
                + zip(listing.entries, examined.files).compactMap { entry, file in
                    file.remarks.first { $0.kind.severity == .unusable }.map {
                        ImageProblem(path: entry.path, reason: $0.detail, .unreadable)
                    }
                },
            hasParts: true)
        groupCount = grouping.repeatedCount
    }
}
