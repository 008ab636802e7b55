import Graft

/// The images of a run of `distill`: those that the student learns from, those that it is measured on, and some that the
/// teacher's features are standardized on.
struct DistillExamples {
    let training: AugmentedImages
    let validation: (any Dataset)?
    let sample: any Dataset
    /// A few of them as the teacher alone sees them.
    let teacherSample: any Dataset
    /// What below the folder is no image.
    let problems: [ImageProblem]

    /// How many images standardize the teacher's features.
    static let sampleCount = 2000

    /// The images of the run: their paths, and what else is below the folder.
    ///
    /// - Throws: `GraftError` where the folder cannot be read or holds no images.
    static func find(_ options: Distill) throws(GraftError) -> ImageFiles {
        // Of any size: none is opened yet.
        try ImageFiles(below: options.images ?? ".", rule: ImageRule(height: 1, width: 1))
    }

    /// How many of them the student learns from.
    static func learnedCount(of found: ImageFiles, _ options: Distill) -> Int {
        split(found.paths, share: options.training.validationShare).learned.count
    }

    /// - Throws: `GraftError` with code `argument` for a rule that no image can be brought to.
    init(_ found: ImageFiles, _ options: Distill, sizes: [Size2D], rule: ImageRule) throws(GraftError) {
        problems = found.problems
        let (learned, measured) = Self.split(found.paths, share: options.training.validationShare)
        let (recipe, threads) = (try options.views.recipe, options.machine.threads)
        func views(_ paths: [String], _ count: Int, cacheLimit: Int) throws(GraftError) -> AugmentedImages {
            try AugmentedImages(
                ImageFiles(paths: paths, rule: rule, threads: threads), recipe, views: count,
                seed: options.training.seed ?? 0, sizes: sizes, cacheLimit: cacheLimit)
        }
        training = try views(learned, options.views.viewCount, cacheLimit: options.views.imageByteCount)
        sample = try views(Self.spread(Self.sampleCount, over: learned), 1, cacheLimit: 0)
        teacherSample = try SizedImages(
            paths: Self.spread(16, over: learned), sizes: sizes.suffix(1), rule: rule, threads: threads)
        validation =
            measured.isEmpty ? nil : try SizedImages(paths: measured, sizes: sizes, rule: rule, threads: threads)
    }

    /// Holds images back, one of so many in the order of the paths, so that each folder gives its share.
    static func split(_ paths: [String], share: Double) -> (learned: [String], measured: [String]) {
        var (learned, measured) = ([String](), [String]())
        for (number, path) in paths.enumerated() {
            // The first image is learned from, however few there are.
            let isMeasured = (Double(number + 1) * share).rounded(.down) > (Double(number) * share).rounded(.down)
            if isMeasured, !learned.isEmpty { measured.append(path) } else { learned.append(path) }
        }
        return (learned, measured)
    }

    /// So many of them at equal distances, all where there are fewer: paths stand class by class.
    static func spread(_ count: Int, over paths: [String]) -> [String] {
        guard paths.count > count else { return paths }
        return (0..<count).map { paths[$0 * paths.count / count] }
    }
}

/// Images as they are, of which each is brought to several sizes by the rule.
struct SizedImages: Dataset {
    private let files: [ImageFiles]

    init(paths: [String], sizes: [Size2D], rule: ImageRule, threads: Int?) throws(GraftError) {
        files = try sizes.map { (size) throws(GraftError) in
            var rule = rule
            (rule.height, rule.width) = (size.height, size.width)
            return try ImageFiles(paths: paths, rule: rule, threads: threads)
        }
    }

    var count: Int { files[0].count }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { files[0].inputRule }
    func targets(of indices: [Int]) throws -> [Tensor] { [] }
    func name(of index: Int) -> String? { files[0].name(of: index) }

    func batch(_ indices: [Int]) throws -> Batch {
        var batch = try files[0].batch(indices)
        for other in files.dropFirst() { batch.inputs += try other.batch(batch.indices).inputs }
        return batch
    }

    func fingerprint(of index: Int) throws -> String? {
        try files.map { try $0.fingerprint(of: index) ?? "" }.joined(separator: " ")
    }
}
