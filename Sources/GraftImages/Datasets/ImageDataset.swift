import GraftData
import GraftGraph

/// Images in files, with a class or other targets for each: examples that are decoded when a batch asks for them.
///
/// Inputs: one tensor (batch, height, width, channels) with values 0 to 255. Targets: one tensor (batch) of class
/// numbers, or one (batch, width) of given numbers. Memory holds the paths and the batch, never all images. Copies share what is known of the files.
public struct ImageDataset: PooledDataset {
    /// The files, in order: class by class, sorted.
    public var paths: [String] { loader.paths }
    /// Each file's class, a position in `classNames`; empty where targets are not classes.
    public let labels: [Int]
    /// The classes in the order of their numbers; `nil` where targets are measurements.
    public let classNames: [String]?
    /// The numbers that are the targets of each file, all of the same count; `nil` where they are classes.
    private let values: [[Float]]?
    let loader: ImageLoader

    /// Images and their classes.
    ///
    /// - Parameter threads: how many images are decoded at once; all cores where it is `nil`.
    /// - Throws: `GraftError` with code `data` where labels do not fit paths or names, `argument` for a wrong rule.
    public init(
        paths: [String], labels: [Int], classNames: [String], rule: ImageRule, threads: Int? = nil
    ) throws(GraftError) {
        guard paths.count == labels.count else {
            throw GraftError(.data, "\(paths.count) pictures need as many labels, and there are \(labels.count)")
        }
        if let wrong = labels.first(where: { !classNames.indices.contains($0) }) {
            throw GraftError(.data, "the label \(wrong) is no class: there are \(classNames.count), counted from 0")
        }
        self.labels = labels
        self.classNames = classNames
        values = nil
        loader = try ImageLoader(paths: paths, rule: rule, threads: threads)
    }

    /// Images and their targets: 0 or 1 for each of several labels, or measurements.
    ///
    /// - Parameters:
    ///   - paths: the files.
    ///   - targets: the numbers of each file, of one count for all.
    ///   - classNames: what the numbers stand for, where they say which labels an image has.
    ///   - threads: how many images are decoded at once; all cores where it is `nil`.
    /// - Throws: `GraftError` with code `data` where targets do not fit paths, names or one another, `argument` for a wrong
    ///   rule.
    public init(
        paths: [String], targets: [[Float]], classNames: [String]?, rule: ImageRule, threads: Int? = nil
    ) throws(GraftError) {
        guard paths.count == targets.count else {
            throw GraftError(.data, "\(paths.count) images need as many targets, and there are \(targets.count)")
        }
        let width = classNames?.count ?? targets.first?.count ?? 0
        if let wrong = targets.firstIndex(where: { $0.count != width || !$0.allSatisfy(\.isFinite) }) {
            throw GraftError(
                .data, "\(paths[wrong]): its targets are \(targets[wrong]); each image needs \(width) finite numbers")
        }
        labels = []
        self.classNames = classNames
        values = targets
        loader = try ImageLoader(paths: paths, rule: rule, threads: threads)
    }

    /// The number of images.
    public var count: Int { loader.paths.count }

    /// How images become inputs.
    public var inputRule: InputRule? { .image(loader.rule) }

    /// How many images each class or label has, in the order of `classNames`.
    public var classCounts: [Int] {
        var counts = [Int](repeating: 0, count: classNames?.count ?? 0)
        for label in labels { counts[label] += 1 }
        for row in values ?? [] { for label in counts.indices where row[label] > 0 { counts[label] += 1 } }
        return counts
    }

    /// The mean and the standard deviation of each number of the targets; empty where they are classes.
    public var targetStatistics: (means: [Double], deviations: [Double]) {
        guard let values, !values.isEmpty else { return ([], []) }
        let count = Double(values.count)
        let means = (0..<targetWidth).map { place in values.reduce(0) { $0 + Double($1[place]) } / count }
        let variances = means.enumerated().map { place, mean in
            values.reduce(0) { $0 + (Double($1[place]) - mean) * (Double($1[place]) - mean) } / count
        }
        return (means, variances.map { $0.squareRoot() })
    }

    /// Some of the images, in this order.
    ///
    /// - Parameter rule: how they are decoded; as these are where `nil`.
    /// - Precondition: each number is an image's.
    package func subset(_ indices: [Int], rule: ImageRule? = nil) throws(GraftError) -> ImageDataset {
        let rule = rule ?? loader.rule
        let paths = indices.map { self.paths[$0] }
        if let values {
            return try ImageDataset(
                paths: paths, targets: indices.map { values[$0] }, classNames: classNames, rule: rule,
                threads: loader.threads)
        }
        return try ImageDataset(
            paths: paths, labels: indices.map { labels[$0] }, classNames: classNames ?? [], rule: rule,
            threads: loader.threads)
    }

    /// How many numbers the targets of an image are: 1 where they are classes.
    public var targetWidth: Int { values.map { $0.first?.count ?? classNames?.count ?? 0 } ?? 1 }

    /// Reads, decodes and resizes these images, several at once; the result does not depend on how many.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no image's. An image that cannot be read is
    ///   no error: it is missing from the batch and named in its `failures`.
    public func batch(_ indices: [Int]) throws -> Batch { try batch(indices, in: TensorPool(capacity: 0)) }

    package func batch(_ indices: [Int], in memory: TensorPool) throws -> Batch {
        let (indices, tensor, failures) = try loader.load(indices, in: memory)
        return Batch(indices: indices, inputs: [tensor], targets: [known(indices)], failures: failures)
    }

    /// The class numbers or other targets of these images, without reading a file.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no image's.
    public func targets(of indices: [Int]) throws -> [Tensor] {
        for index in indices { try loader.checkIndex(index) }
        return [known(indices)]
    }

    private func known(_ indices: [Int]) -> Tensor {
        guard let values else { return Tensor(indices.map { Float(labels[$0]) }, shape: [indices.count]) }
        return Tensor(indices.flatMap { values[$0] }, shape: [indices.count, targetWidth])
    }

    /// SHA-256 over the file's bytes, the rule and the decoder's version: of the bytes that the last batch with this
    /// image was made from, or of the file as it is now where there was none.
    ///
    /// - Throws: `GraftError` with code `file` where the file cannot be read.
    public func fingerprint(of index: Int) throws -> String? { try loader.fingerprint(of: index) }

    /// The image's path.
    public func name(of index: Int) -> String? { paths.indices.contains(index) ? paths[index] : nil }

    /// Decodes every image once and lists those that cannot be read.
    ///
    /// - Parameter progress: called after each image, from any thread, with the numbers done and in all.
    public func audit(progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil) -> [ExampleFailure] {
        loader.audit(progress: progress)
    }
}

/// Images in files without classes: what `predict` is asked about.
public struct ImageFiles: PooledDataset {
    /// The files, in the order given.
    public var paths: [String] { loader.paths }
    /// The files and folders below the folder that take no part, and why.
    public let problems: [ImageProblem]
    let loader: ImageLoader

    /// These files; none is opened before a batch asks for it.
    ///
    /// - Parameter threads: how many images are decoded at once; all cores where it is `nil`.
    /// - Throws: `GraftError` with code `argument` for a wrong rule.
    public init(paths: [String], rule: ImageRule, threads: Int? = nil) throws(GraftError) {
        loader = try ImageLoader(paths: paths, rule: rule, threads: threads)
        problems = []
    }

    /// All images below a folder, folder by folder and by name; none is opened before a batch asks for it.
    ///
    /// - Throws: `GraftError` with code `file` where the folder cannot be read, `data` where it holds no images,
    ///   `argument` for a wrong rule.
    public init(below folder: String, rule: ImageRule, threads: Int? = nil) throws(GraftError) {
        let (paths, problems) = try ClassFolders.allFiles(of: .images, below: folder)
        guard !paths.isEmpty else {
            throw GraftError(
                .data,
                "\(folder): no pictures in this folder or the folders below; it needs files such as a.jpg or b.png")
        }
        loader = try ImageLoader(paths: paths, rule: rule, threads: threads)
        self.problems = problems
    }

    /// The number of images.
    public var count: Int { loader.paths.count }

    /// `nil`: the classes belong to the model that is asked.
    public var classNames: [String]? { nil }

    /// How images become inputs.
    public var inputRule: InputRule? { .image(loader.rule) }

    /// As ``ImageDataset/batch(_:)``, without targets.
    public func batch(_ indices: [Int]) throws -> Batch { try batch(indices, in: TensorPool(capacity: 0)) }

    package func batch(_ indices: [Int], in memory: TensorPool) throws -> Batch {
        let (indices, tensor, failures) = try loader.load(indices, in: memory)
        return Batch(indices: indices, inputs: [tensor], targets: [], failures: failures)
    }

    /// None: the classes are what is asked for.
    public func targets(of indices: [Int]) throws -> [Tensor] { [] }

    /// The image's path.
    public func name(of index: Int) -> String? { paths.indices.contains(index) ? paths[index] : nil }

    /// As ``ImageDataset/fingerprint(of:)``.
    public func fingerprint(of index: Int) throws -> String? { try loader.fingerprint(of: index) }
}
