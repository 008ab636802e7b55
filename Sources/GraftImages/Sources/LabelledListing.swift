import GraftData
import GraftGraph

/// Listed images with the targets that follow from their labels.
struct LabelledListing {
    /// Those that have what the task needs.
    let listing: ImageListing
    let task: ImageTask
    /// Empty for a regression.
    let classNames: [String]
    let problems: [ImageProblem]
    /// The numbers of each image, for a regression.
    private var values: [[Float]] = []

    /// - Parameters:
    ///   - task: where `nil`, labels if any image has several, else classes.
    ///   - classNames: those of a model, in its order; those of the images, sorted, where `nil`.
    /// - Throws: `GraftError` with code `data` where labels do not fit.
    init(_ listing: ImageListing, task: ImageTask?, classNames: [String]?) throws(GraftError) {
        let task = task ?? (listing.entries.contains { $0.labels.count > 1 } ? .labels : .classes)
        // An image without a label has none of several; elsewhere it says nothing.
        let usable = listing.entries.filter { task == .labels || !$0.labels.isEmpty }
        self.task = task
        self.listing = ImageListing(
            path: listing.path, entries: usable, problems: listing.problems, hasParts: listing.hasParts)
        problems =
            (listing.problems
            + listing.entries.filter { task != .labels && $0.labels.isEmpty }.map {
                ImageProblem(path: $0.path, reason: "has no label", .unlabelled)
            }).sorted { FolderListing.precedes($0.path, $1.path) }
        guard !usable.isEmpty else {
            throw GraftError(
                .data,
                "\(listing.path): no image has a label; put them into folders of classes, or say them in a column label"
            )
        }
        if task == .regression {
            self.classNames = []
            values = try Self.numbers(of: usable, listing.path)
        } else {
            self.classNames = try Self.classNames(of: self.listing, task, expected: classNames)
        }
    }

    /// A dataset of some of the images.
    func dataset(_ indices: [Int], rule: ImageRule, threads: Int?) throws(GraftError) -> ImageDataset {
        let entries = indices.map { listing.entries[$0] }
        let paths = entries.map(\.path)
        let numbers = Dictionary(uniqueKeysWithValues: zip(classNames, classNames.indices))
        switch task {
        case .classes:
            return try ImageDataset(
                paths: paths, labels: entries.map { $0.labels.first.flatMap { numbers[$0] } ?? 0 },
                classNames: classNames, rule: rule, threads: threads)
        case .labels:
            let targets = entries.map { entry in
                var row = [Float](repeating: 0, count: classNames.count)
                for label in entry.labels { if let number = numbers[label] { row[number] = 1 } }
                return row
            }
            return try ImageDataset(
                paths: paths, targets: targets, classNames: classNames, rule: rule, threads: threads)
        case .regression:
            return try ImageDataset(
                paths: paths, targets: indices.map { values[$0] }, classNames: nil, rule: rule, threads: threads)
        }
    }

    /// Which of these images are set aside, class by class; of other tasks all together.
    func isValidation(_ indices: [Int], _ split: ValidationSplit) -> [Bool] {
        var sides: [Int: Bool] = [:]
        let classes = Dictionary(grouping: indices) { task == .classes ? listing.entries[$0].labels : [] }
        for members in classes.values {
            for (index, side) in zip(members, split.isValidation(members.map { listing.entries[$0].name })) {
                sides[index] = side
            }
        }
        return indices.map { sides[$0] ?? false }
    }

    // MARK: What labels say

    private static func classNames(
        of listing: ImageListing, _ task: ImageTask, expected: [String]?
    ) throws(GraftError) -> [String] {
        let names = listing.classNames
        if task == .classes, let entry = listing.entries.first(where: { $0.labels.count > 1 }) {
            throw GraftError(
                .data,
                "\(entry.path) has the labels \(entry.labels.joined(separator: " and ")); one class is expected of each image"
            )
        }
        if let expected {
            if let unknown = names.first(where: { !expected.contains($0) }) {
                throw GraftError(
                    .data,
                    "\(listing.path) has the label \(unknown), which the model does not know; it knows "
                        + expected.prefix(10).joined(separator: ", "))
            }
            return expected
        }
        guard names.count > 1 else {
            throw GraftError(
                .data,
                "\(listing.path) has the single label \(names.first ?? ""); telling images apart takes at least two")
        }
        let trained = Set(listing.entries.filter { $0.part == .training }.flatMap(\.labels))
        if let missing = names.first(where: { !trained.contains($0) }) {
            throw GraftError(
                .data, "\(listing.path): the label \(missing) has no image for training; give it one, or leave it out")
        }
        return names
    }

    private static func numbers(of entries: [ImageListing.Entry], _ path: String) throws(GraftError) -> [[Float]] {
        var rows: [[Float]] = []
        for entry in entries {
            let numbers = entry.labels.compactMap(Float.init)
            guard numbers.count == entry.labels.count, numbers.allSatisfy(\.isFinite) else {
                throw GraftError(
                    .data,
                    "\(entry.path) has the label '\(entry.labels.joined(separator: "|"))', and a regression needs numbers"
                )
            }
            guard numbers.count == rows.first?.count ?? numbers.count else {
                throw GraftError(
                    .data,
                    "\(entry.path) has \(numbers.count) numbers and the image before it \(rows[0].count); "
                        + "a regression needs as many of each")
            }
            rows.append(numbers)
        }
        return rows
    }
}
