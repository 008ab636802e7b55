import GraftDigest

/// Labelled texts from a table or a folder, as training, validation and test examples.
///
/// ```swift
/// let texts = try LabelledTexts(at: "questions.csv", validationSplit: 0.2)
/// print(texts.task, texts.classNames, texts.training.count)
/// ```
public struct LabelledTexts: Sendable {
    /// What is to be learned.
    public let task: LearningTask
    /// The classes or labels in the order of their numbers; empty for a regression.
    public let classNames: [String]
    /// The texts to train on.
    public let training: TextExamples
    /// The texts to choose by; `nil` where there are none.
    public let validation: TextExamples?
    /// The texts that decide nothing; `nil` where there are none.
    public let test: TextExamples?
    /// The share that was set aside for ``validation``; `nil` where the data say themselves.
    public let validationShare: Double?
    /// The files, folders and rows that take no part, and why.
    public let problems: [FileProblem]

    private static let noun = LabelTargets.Noun(
        "text", "texts", advice: "say them in a column label or category, or put files into folders of classes")

    /// Reads a table or a folder (``TextListing``).
    ///
    /// - Parameters:
    ///   - path: a table with columns for text and label, or a folder with one folder a class.
    ///   - columns: which columns count.
    ///   - task: what is to be learned; where `nil`, labels if any text has several, else classes.
    ///   - validationSplit: the share of each class that is set aside where nothing else says what is for validation; which
    ///     texts they are follows from the texts and the seed.
    ///   - seed: another number sets other texts aside.
    ///   - classNames: those of a model that is already trained, in its order.
    /// - Throws: `GraftError` as ``TextListing/init(at:columns:)``; `data` for labels that do not fit the task, `argument` for a
    ///   wrong share.
    public init(
        at path: String, columns: TextListing.Columns = .usual, task: LearningTask? = nil,
        validationSplit: Double? = nil, seed: UInt64 = 0, classNames: [String]? = nil
    ) throws(GraftError) {
        try self.init(
            TextListing(at: path, columns: columns), task: task, validationSplit: validationSplit, seed: seed,
            classNames: classNames)
    }

    /// The texts of a listing.
    ///
    /// - Throws: as ``init(at:columns:task:validationSplit:seed:classNames:)``.
    public init(
        _ listing: TextListing, task: LearningTask? = nil, validationSplit: Double? = nil, seed: UInt64 = 0,
        classNames: [String]? = nil
    ) throws(GraftError) {
        let task = task ?? LabelTargets.usualTask(listing.entries.map(\.labels))
        let usable = listing.entries.filter { task == .labels || !$0.labels.isEmpty }
        problems =
            listing.problems
            + listing.entries.filter { task != .labels && $0.labels.isEmpty }.map {
                FileProblem(path: $0.name, reason: "has no label", .unlabelled)
            }
        let targets = try LabelTargets(
            usable.map { LabelTargets.Example(name: $0.name, labels: $0.labels, part: $0.part) }, task,
            path: listing.path, noun: Self.noun, expected: classNames)
        var parts = Dictionary(grouping: usable.indices, by: { usable[$0].part })
        guard let all = parts[.training], !all.isEmpty else {
            throw GraftError(.data, "\(listing.path): no text is for training; its split must say train for some")
        }
        var share: Double?
        if parts[.validation] == nil, let validationSplit {
            let split = try ValidationSplit(fraction: validationSplit, seed: seed) { name in
                SHA256.hash(name.utf8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            }
            // By the texts themselves: equal ones lie on one side, wherever they stand.
            let isValidation = targets.isValidation(all, split, names: all.map { usable[$0].text })
            parts[.training] = zip(all, isValidation).filter { !$1 }.map(\.0)
            parts[.validation] = zip(all, isValidation).filter { $1 }.map(\.0)
            share = validationSplit
        }
        func examples(_ part: DatasetPart) -> TextExamples? {
            parts[part].map { indices in
                TextExamples(indices.map { usable[$0] }, targets, indices)
            }
        }
        (self.task, self.classNames, validationShare) = (task, targets.classNames, share)
        training = examples(.training) ?? TextExamples([], targets, [])
        (validation, test) = (examples(.validation), examples(.test))
    }

    /// The texts of a part; `nil` where there are none.
    public subscript(part: DatasetPart) -> TextExamples? {
        switch part {
        case .training: training
        case .validation: validation
        case .test: test
        }
    }
}

/// Texts with their targets.
public struct TextExamples: Sendable {
    /// The texts.
    public let texts: [String]
    /// What messages call each: the path of its file, or the table and the line.
    public let names: [String]
    /// Each text's class; empty where targets are numbers.
    public let labels: [Int]
    /// The numbers that are each text's targets; empty where they are classes.
    public let values: [[Float]]
    /// The classes or labels in the order of their numbers; `nil` for a regression, and where nothing says.
    public let classNames: [String]?

    /// Texts of which nothing is known.
    public init(texts: [String], names: [String]? = nil) {
        self.texts = texts
        self.names = names ?? texts.indices.map { "text \($0 + 1)" }
        (labels, values, classNames) = ([], [], nil)
    }

    init(_ entries: [TextListing.Entry], _ targets: LabelTargets, _ indices: [Int]) {
        (texts, names) = (entries.map(\.text), entries.map(\.name))
        labels = targets.task == .classes ? targets.classes(of: indices) : []
        values = targets.task == .classes ? [] : targets.values(of: indices)
        classNames = targets.task == .regression ? nil : targets.classNames
    }

    /// How many there are.
    public var count: Int { texts.count }

    /// How many numbers the targets of a text are: 1 where they are classes.
    public var targetWidth: Int { values.first?.count ?? 1 }
}
