import GraftData
import GraftGraph

/// Listed images with the targets that follow from their labels.
struct LabelledListing {
    /// Those that have what the task needs.
    let listing: ImageListing
    let problems: [ImageProblem]
    private let targets: LabelTargets

    var task: ImageTask { targets.task }
    /// Empty for a regression.
    var classNames: [String] { targets.classNames }

    private static let noun = LabelTargets.Noun(
        "image", "images", advice: "put them into folders of classes, or say them in a column label")

    /// - Parameters:
    ///   - task: where `nil`, labels if any image has several, else classes.
    ///   - classNames: those of a model, in its order; those of the images, sorted, where `nil`.
    /// - Throws: `GraftError` with code `data` where labels do not fit.
    init(_ listing: ImageListing, task: ImageTask?, classNames: [String]?) throws(GraftError) {
        let task = task ?? LabelTargets.usualTask(listing.entries.map(\.labels))
        // An image without a label has none of several; elsewhere it says nothing.
        let usable = listing.entries.filter { task == .labels || !$0.labels.isEmpty }
        self.listing = ImageListing(
            path: listing.path, entries: usable, problems: listing.problems, hasParts: listing.hasParts)
        problems =
            (listing.problems
            + listing.entries.filter { task != .labels && $0.labels.isEmpty }.map {
                ImageProblem(path: $0.path, reason: "has no label", .unlabelled)
            }).sorted { FolderListing.precedes($0.path, $1.path) }
        targets = try LabelTargets(
            usable.map { LabelTargets.Example(name: $0.path, labels: $0.labels, part: $0.part) }, task,
            path: listing.path, noun: Self.noun, expected: classNames)
    }

    /// A dataset of some of the images.
    func dataset(_ indices: [Int], rule: ImageRule, threads: Int?) throws(GraftError) -> ImageDataset {
        let paths = indices.map { listing.entries[$0].path }
        guard task != .classes else {
            return try ImageDataset(
                paths: paths, labels: targets.classes(of: indices), classNames: classNames, rule: rule, threads: threads
            )
        }
        return try ImageDataset(
            paths: paths, targets: targets.values(of: indices), classNames: task == .labels ? classNames : nil,
            rule: rule, threads: threads)
    }

    /// Which of these images are set aside, class by class; of other tasks all together.
    func isValidation(_ indices: [Int], _ split: ValidationSplit) -> [Bool] {
        targets.isValidation(indices, split, names: indices.map { listing.entries[$0].name })
    }
}
