import GraftData
import GraftGraph

/// A folder of images as training, validation and test examples.
///
/// The folder holds one folder a class, or the folders `train` and `validation` (also `val`, `valid`; and `test`) that do:
///
/// ```
/// photos/cats/1.jpg            photos/train/cats/1.jpg
/// photos/dogs/2.png            photos/validation/dogs/2.png
/// ```
///
/// Classes are the folders with at least one image in them, in the order of their names, as Keras orders them. Images
/// in folders within a class's folder belong to the class. Everything else (stray files, hidden files, empty folders,
/// other kinds of file) is left out and listed in ``problems``.
public struct ImageFolder: Sendable {
    /// The classes in the order of their numbers.
    public let classNames: [String]
    /// The images to train on; all images where nothing was set aside.
    public let training: ImageDataset
    /// The images of the folder `validation`, or those that were set aside; `nil` where there are none.
    public let validation: ImageDataset?
    /// The images of the folder `test`; `nil` where there is none.
    public let test: ImageDataset?
    /// Where ``validation`` comes from.
    public let validationSource: ValidationSource
    /// The files and folders that take no part, and why, sorted by path.
    public let problems: [ImageProblem]

    /// Where validation images come from.
    public enum ValidationSource: Sendable, Hashable {
        /// There are none.
        case none
        /// A folder of their own.
        case folder
        /// This share of each class's training images was set aside.
        case split(Double)

        /// Whether a share was set aside.
        public var isSplit: Bool { if case .split = self { true } else { false } }
    }

    /// Reads the folder's names; no image is opened.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - rule: size, channels and resize method of the examples.
    ///   - validationSplit: the share, between 0 and 1, of each class's images that is set aside for validation where
    ///     the folder has no `validation` of its own. The same images each time, whatever their number: which they are
    ///     follows from names and seed, and an image that is added moves at most one other to the other side.
    ///   - seed: another number sets other images aside.
    ///   - classNames: the classes of a model that is already trained, in its order, for evaluation: labels follow it, a
    ///     class may be missing here, and a folder that is none of them is an error.
    ///   - threads: how many images are decoded at once; all cores where it is `nil`.
    /// - Throws: `GraftError` with code `file` where the folder cannot be read, `data` where it holds no images, a
    ///   single class, or different classes for training and validation, and `argument` for a wrong rule or share.
    public init(
        at path: String, rule: ImageRule, validationSplit: Double? = nil, seed: UInt64 = 0, classNames: [String]? = nil,
        threads: Int? = nil
    ) throws(GraftError) {
        let split: ValidationSplit? =
            if let validationSplit { try ValidationSplit(fraction: validationSplit, seed: seed) } else { nil }
        let layout = try FolderLayout(at: path, of: .images)
        let names = try layout.checkClasses(expected: classNames)
        func dataset(_ examples: [Example]) throws(GraftError) -> ImageDataset {
            try ImageDataset(
                paths: examples.map(\.path), labels: examples.map(\.label), classNames: names, rule: rule,
                threads: threads)
        }

        self.classNames = names
        problems = layout.problems.sorted { FolderListing.precedes($0.path, $1.path) }
        test = if let test = layout.test { try dataset(Self.examples(of: test, classNames: names)) } else { nil }
        let all = Self.examples(of: layout.training, classNames: names)
        if let part = layout.validation {
            training = try dataset(all)
            validation = try dataset(Self.examples(of: part, classNames: names))
            validationSource = .folder
        } else if let split {
            let isValidation = Self.sides(of: all, by: split)
            training = try dataset(zip(all, isValidation).filter { !$0.1 }.map(\.0))
            validation = try dataset(zip(all, isValidation).filter { $0.1 }.map(\.0))
            validationSource = .split(split.fraction)
        } else {
            training = try dataset(all)
            validation = nil
            validationSource = .none
        }
    }

    /// Decodes every image of all parts once and lists those that cannot be read; see ``ImageDataset/audit(progress:)``.
    ///
    /// The numbers of the failures count within their own part.
    public func audit(progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil) -> [ExampleFailure] {
        let parts = [training, validation, test].compactMap { $0 }
        let total = parts.reduce(0) { $0 + $1.count }
        var before = 0
        var failures: [ExampleFailure] = []
        for part in parts {
            let offset = before
            failures += part.audit { done, _ in progress?(offset + done, total) }
            before += part.count
        }
        return failures
    }

    private struct Example {
        let path: String
        /// The path below the folder that holds the classes; what decides about its side.
        let name: String
        let label: Int
    }

    private static func examples(of part: ClassFolders, classNames: [String]) -> [Example] {
        part.classes.flatMap { folder in
            let label = classNames.firstIndex(of: folder.name) ?? 0
            return folder.files.map {
                Example(path: FolderListing.join(folder.path, $0), name: "\(folder.name)/\($0)", label: label)
            }
        }
    }

    /// Splits each class by itself.
    private static func sides(of examples: [Example], by split: ValidationSplit) -> [Bool] {
        var isValidation = [Bool](repeating: false, count: examples.count)
        for positions in Dictionary(grouping: examples.indices, by: { examples[$0].label }).values {
            for (position, side) in zip(positions, split.isValidation(positions.map { examples[$0].name })) {
                isValidation[position] = side
            }
        }
        return isValidation
    }
}
