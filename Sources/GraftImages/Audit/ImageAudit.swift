import GraftData
import GraftGraph
import Synchronization

/// An audit of images before anything is trained on them: what cannot be used, what harms, what is odd.
///
/// ```swift
/// let audit = try ImageAudit(of: "photos")
/// for finding in audit.findings where finding.severity == .problem { print(finding.detail, finding.paths) }
/// ```
///
/// Every file is opened once, if it is a regular file, and decoded; JPEG as small as the perceptual hash needs. Nothing is
/// changed. Memory holds the names, some 400 bytes for each image, and one decoded image for each thread.
public struct ImageAudit: Sendable {
    /// The folder or table.
    public let path: String
    /// All that was found, the worst first, then by kind and path.
    public let findings: [ImageFinding]
    /// The number of images by name.
    public let imageCount: Int
    /// The number of those that can be decoded.
    public let usableCount: Int
    /// The classes and how many images each part has of each; empty where nothing gives classes.
    public let classCounts: [String: [DatasetPart: Int]]

    /// What `crop` would cut off; `nil` where all images are square.
    public let cropLoss: CropLoss?

    /// A class with this many times the images of another is called unequal.
    public static let imbalanceRatio = 5

    /// Audits a folder of images or a table of them.
    ///
    /// - Parameters:
    ///   - path: a folder of class folders, of `train`, `validation` and `test`, or of images; or a table (``ImageTable``).
    ///   - threads: how many images are decoded at once; all cores where it is `nil`.
    ///   - progress: called after each image, from any thread, with the numbers done and in all.
    /// - Throws: `GraftError` as ``ImageListing/init(at:)``.
    public init(
        of path: String, threads: Int? = nil, progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
    ) throws(GraftError) {
        try self.init(of: ImageListing(at: path), threads: threads, progress: progress)
    }

    /// Audits images that are listed already.
    public init(
        of listing: ImageListing, threads: Int? = nil,
        progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
    ) throws(GraftError) {
        if let threads { try requirePositive(threads, "threads") }
        let examined = ExaminedImages(listing.entries.map(\.path), threads: threads, progress: progress)
        path = listing.path
        imageCount = listing.entries.count
        usableCount = examined.files.count { $0.isUsable }
        classCounts = listing.classCounts
        cropLoss = CropLoss(
            zip(listing.entries, examined.files).filter(\.1.isUsable).map { ($0.path, $1.cropLoss) })
        var findings = listing.problems.map { ImageFinding(kind: $0.kind.finding, paths: [$0.path], detail: $0.reason) }
        for (entry, file) in zip(listing.entries, examined.files) {
            findings += file.remarks.map { ImageFinding(kind: $0.kind, paths: [entry.path], detail: $0.detail) }
        }
        findings += listing.labelFindings
        findings += RepeatedImages(listing, examined).findings
        self.findings = findings.sorted(by: Self.precedes)
    }

    private static func precedes(_ left: ImageFinding, _ right: ImageFinding) -> Bool {
        if left.severity != right.severity { return left.severity < right.severity }
        let kinds = ImageFinding.Kind.allCases
        let ranks = (kinds.firstIndex(of: left.kind) ?? 0, kinds.firstIndex(of: right.kind) ?? 0)
        if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
        return FolderListing.precedes(left.paths.first ?? "", right.paths.first ?? "")
    }
}

/// Files, each opened and looked at once.
struct ExaminedImages {
    let files: [ImageExamination]

    init(_ paths: [String], threads: Int?, progress: (@Sendable (_ done: Int, _ count: Int) -> Void)?) {
        let state = Mutex<(done: Int, files: [ImageExamination?])>((0, Array(repeating: nil, count: paths.count)))
        ParallelWork.perform(count: paths.count, threads: threads ?? ParallelWork.coreCount) { index in
            let file = ImageExamination(paths[index])
            let done = state.withLock { state in
                state.files[index] = file
                state.done += 1
                return state.done
            }
            progress?(done, paths.count)
        }
        files = state.withLock { $0.files.compactMap { $0 } }
    }

    /// The images with the same bytes, two or more each.
    var equal: [[Int]] {
        var known: [ImageExamination.Digest: [Int]] = [:]
        for (index, file) in files.enumerated() where file.isUsable {
            if let digest = file.digest { known[digest, default: []].append(index) }
        }
        return known.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }

    /// The images that look the same; of those with the same bytes the first stands for all.
    var near: [NearDuplicates.Group] {
        var hashes = files.map(\.hash)
        for group in equal { for copy in group.dropFirst() { hashes[copy] = nil } }
        return NearDuplicates(among: hashes).groups
    }
}

extension ImageProblem.Kind {
    /// What an audit calls it.
    var finding: ImageFinding.Kind {
        switch self {
        case .hidden: .hidden
        case .stray: .stray
        case .unlabelled: .unlabelled
        case .emptyClass: .emptyClass
        case .special: .special
        case .unreadable: .unreadable
        }
    }
}
