import GraftData
import GraftGraph

/// Labelled images from a folder or a table, as training, validation and test examples.
///
/// ```swift
/// let images = try LabelledImages(at: "splits.csv", rule: ImageRule(height: 160, width: 160))
/// print(images.task, images.classNames, images.training.count)
/// ```
public struct LabelledImages: Sendable {
    /// What is to be learned.
    public let task: ImageTask
    /// The classes or labels in the order of their numbers; empty for a regression.
    public let classNames: [String]
    /// The images to train on.
    public let training: ImageDataset
    /// The images to choose by; `nil` where there are none.
    public let validation: ImageDataset?
    /// The images that decide nothing; `nil` where there are none.
    public let test: ImageDataset?
    /// Where ``validation`` comes from.
    public let validationSource: ImageFolder.ValidationSource
    /// The files and folders that take no part, and why.
    public let problems: [ImageProblem]
    /// Whether a table or a split says what is held back, so that a model should remember it (``HeldBackFiles``).
    public let isDivided: Bool

    /// The images of a folder.
    public init(_ folder: ImageFolder) {
        task = .classes
        classNames = folder.classNames
        (training, validation, test) = (folder.training, folder.validation, folder.test)
        (validationSource, problems) = (folder.validationSource, folder.problems)
        isDivided = false
    }

    /// Reads a folder, or a table (``ImageTable``).
    ///
    /// A folder is read by ``ImageFolder``, unless `split` divides it anew. Of a table without a part for validation the share
    /// `validationSplit` is set aside, class by class and by the images' paths, as of a folder.
    ///
    /// - Parameters:
    ///   - path: a folder of class folders, or a table with a column `label`.
    ///   - rule: size, channels and resize method of the examples.
    ///   - task: what is to be learned; where `nil`, labels if any image of a table has several, else classes.
    ///   - split: how the images are divided; the parts that folder or table have are then not looked at.
    ///   - validationSplit: the share that is set aside where nothing else says what is for validation.
    ///   - seed: another number sets other images aside.
    ///   - classNames: those of a model that is already trained, in its order.
    ///   - threads: how many images are decoded at once; all cores where it is `nil`.
    ///   - progress: called after each image that a split looks at.
    /// - Throws: `GraftError` as ``ImageFolder/init(at:rule:validationSplit:seed:classNames:threads:)``,
    ///   ``ImageListing/init(at:)`` and ``ImageSplit``; `data` for labels that do not fit the task.
    public init(
        at path: String, rule: ImageRule, task: ImageTask? = nil, split: ImageSplit.Options? = nil,
        validationSplit: Double? = nil, seed: UInt64 = 0, classNames: [String]? = nil, threads: Int? = nil,
        progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
    ) throws(GraftError) {
        guard split != nil || ImageTable.isTable(path) || task == .regression else {
            self.init(
                try ImageFolder(
                    at: path, rule: rule, validationSplit: validationSplit, seed: seed, classNames: classNames,
                    threads: threads))
            return
        }
        var listing = try ImageListing(at: path)
        if let split { listing = try ImageSplit(of: listing, split, threads: threads, progress: progress).listing }
        try self.init(
            LabelledListing(listing, task: task, classNames: classNames), rule: rule,
            validationSplit: validationSplit.map { (share) throws(GraftError) in
                try ValidationSplit(fraction: share, seed: seed)
            }, threads: threads)
    }

    private init(
        _ labelled: LabelledListing, rule: ImageRule, validationSplit: ValidationSplit?, threads: Int?
    ) throws(GraftError) {
        let entries = labelled.listing.entries
        var parts = Dictionary(grouping: entries.indices, by: { entries[$0].part })
        guard let all = parts[.training], !all.isEmpty else {
            throw GraftError(
                .data, "\(labelled.listing.path): no image is for training; its split must say train for some")
        }
        validationSource = parts[.validation] != nil ? .folder : validationSplit.map { .split($0.fraction) } ?? .none
        if parts[.validation] == nil, let validationSplit {
            let isValidation = labelled.isValidation(all, validationSplit)
            parts[.training] = zip(all, isValidation).filter { !$1 }.map(\.0)
            parts[.validation] = zip(all, isValidation).filter { $1 }.map(\.0)
        }
        func dataset(_ part: DatasetPart) throws(GraftError) -> ImageDataset? {
            guard let indices = parts[part] else { return nil }
            return try labelled.dataset(indices, rule: rule, threads: threads)
        }
        task = labelled.task
        classNames = labelled.classNames
        training = try labelled.dataset(parts[.training] ?? [], rule: rule, threads: threads)
        validation = try dataset(.validation)
        test = try dataset(.test)
        problems = labelled.problems
        isDivided = true
    }

    /// The images of a part; `nil` where there are none.
    public subscript(part: DatasetPart) -> ImageDataset? {
        switch part {
        case .training: training
        case .validation: validation
        case .test: test
        }
    }
}
