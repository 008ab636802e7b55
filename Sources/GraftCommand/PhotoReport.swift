import Graft

/// What a user should know about a folder of pictures before training begins.
struct PhotoReport {
    /// Fewer validation pictures than this say little: each is worth 2 % of the accuracy or more.
    static let fewValidationImages = 50
    private static let mostClasses = 12

    /// What there is.
    let lines: [String]
    /// What may go wrong with it.
    let warnings: [String]

    init(_ photos: ImageFolder) { self.init(LabelledImages(photos)) }

    init(_ photos: LabelledImages) {
        let counts = zip(photos.classNames, photos.training.classCounts).map { "\($1) \($0)" }
        let further = counts.count > Self.mostClasses ? ", … (\(counts.count) classes)" : ""
        let known =
            photos.task == .regression
            ? "a regression of \(photos.training.targetWidth.of("number")) each"
            : (photos.task == .labels ? "any number of labels each, " : "")
                + counts.prefix(Self.mostClasses).joined(separator: ", ") + further
        var lines = ["\(photos.training.count.of("training image")): \(known)"]
        let validation = photos.validation?.count ?? 0
        switch photos.validationSource {
        case .none:
            lines.append(
                "no validation images: give a validation folder or --validation-split to see how well it generalises")
        case .folder:
            lines.append(
                "\(validation.of("validation image")) \(photos.isDivided ? "by the split" : "from their own folder")")
        case .split(let share):
            lines.append("\(validation.of("validation image")) set aside (--validation-split \(share))")
        }
        if let test = photos.test { lines.append("\(test.count.of("test image")), evaluated at the end") }
        self.lines = lines
        warnings =
            Self.warnings(
                validationImages: validation, photos.validationSource, ofClasses: photos.task == .classes)
            + (photos.task == .classes
                ? Self.warnings(classes: photos.classNames, counts: photos.training.classCounts) : [])
    }

    /// With fewer training images of a class, which ones they are decides; Benchmarks/FEW_EXAMPLES.md has by how much.
    static let fewTrainingImages = 6

    static func warnings(classes: [String], counts: [Int]) -> [String] {
        let few = zip(classes, counts).filter { (1..<fewTrainingImages).contains($0.1) }.map(\.0)
        guard let first = few.first, let fewest = counts.filter({ $0 > 0 }).min() else { return [] }
        let which = few.count > 1 ? "\(few.count) classes, such as \(first), have" : "\(first) has"
        return [
            "\(which) \(fewest.of("training image")) or a few more: expect accuracy to differ by several points with the choice of "
                + "images; --head centered is often better on photos of things, --augment shows more of each image"
        ]
    }

    static func warnings(
        validationImages count: Int, _ source: ImageFolder.ValidationSource, ofClasses: Bool = true
    ) -> [String] {
        guard source != .none, count < fewValidationImages else { return [] }
        guard count > 0 else {
            return ["there are no validation images: add pictures, or raise --validation-split"]
        }
        guard ofClasses else {
            return ["with \(count.of("validation image")) small differences of what is measured on them mean nothing"]
        }
        return [
            "with \(count.of("validation image")) each is worth \((100 / Double(count)).fixed(0)) % of val_accuracy: "
                + "differences smaller than a few of them mean nothing"
        ]
    }
}
