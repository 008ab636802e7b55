import GraftGraph

/// How a folder is divided: into classes, or into parts that are divided into classes.
package struct FolderLayout {
    package let path: String
    private let kind: FileKind
    package let training: ClassFolders
    package private(set) var validation: ClassFolders?
    package private(set) var test: ClassFolders?
    package private(set) var problems: [FileProblem] = []

    private static let trainingNames = ["train", "training"]
    private static let validationNames = ["validation", "val", "valid"]
    private static let testNames = ["test", "testing"]

    /// Reads the folder.
    ///
    /// It is divided into parts where a folder `train` holds folders with images. A folder `train` with images
    /// directly in it is the class of trains.
    package init(at path: String, of kind: FileKind) throws(GraftError) {
        (self.path, self.kind) = (path, kind)
        try Self.checkIsFolder(path, kind)
        let listing = try FolderListing(of: path)
        let parts = Parts(listing, kind)
        if let part = try parts.read(Self.trainingNames) {
            training = part
            validation = try parts.read(Self.validationNames)
            test = try parts.read(Self.testNames)
            let read = [training, validation, test].compactMap { $0 }
            problems = read.flatMap(\.problems)
            problems += try Self.strayProblems(in: path, besides: Set(read.map(\.path)))
            return
        }
        for names in [Self.validationNames, Self.testNames] {
            guard let part = try parts.read(names) else { continue }
            throw GraftError(
                .data,
                "\(path) holds \(FolderListing.name(of: part.path))/ with classes in it, but no train/ beside it; add the "
                    + "folder train, or name the folder \(part.path) itself")
        }
        training = try ClassFolders(at: path, of: kind)
        problems = training.problems
    }

    /// The names of the classes, in order, after checking that training is possible with them.
    package func checkClasses(expected: [String]?) throws(GraftError) -> [String] {
        let names = training.classes.map(\.name)
        guard !names.isEmpty else { throw noFiles() }
        if let expected {
            for part in [training, validation, test].compactMap({ $0 }) { try Self.check(part, areAmong: expected) }
            return expected
        }
        guard names.count > 1 else { throw oneClass(training.classes[0]) }
        for part in [validation, test].compactMap({ $0 }) { try checkSameClasses(in: part, as: names) }
        return names
    }

    private static func checkIsFolder(_ path: String, _ kind: FileKind) throws(GraftError) {
        switch FolderListing.kind(of: path) {
        case .folder: return
        case .file:
            throw GraftError(
                .file, "\(path) is a file; expected a folder that holds one folder a class, or train/ and validation/")
        case .other(let reason): throw GraftError(.file, "\(path) \(reason); expected a folder of \(kind.plural)")
        case nil: throw GraftError(.file, "there is no folder \(path); check the path")
        }
    }

    private static func strayProblems(in path: String, besides parts: Set<String>) throws(GraftError) -> [FileProblem] {
        try FolderListing(of: path).entries.filter { !parts.contains($0.path) }.map {
            FileProblem(
                path: $0.path, reason: "lies beside the folders of training and validation, and is not used", .stray)
        }
    }

    /// The folders that may be parts, by name.
    private struct Parts {
        let listing: FolderListing
        let kind: FileKind

        init(_ listing: FolderListing, _ kind: FileKind) { (self.listing, self.kind) = (listing, kind) }

        /// The first folder of these names (in whatever case) that holds classes.
        func read(_ names: [String]) throws(GraftError) -> ClassFolders? {
            for name in names {
                for folder in listing.folders where folder.name.lowercased() == name {
                    let part = try ClassFolders(at: folder.path, of: kind)
                    if !part.classes.isEmpty { return part }
                }
            }
            return nil
        }
    }
}

// MARK: - What can be wrong with the classes

extension FolderLayout {
    private func noFiles() -> GraftError {
        let extensions = kind.extensions.sorted().joined(separator: ", ")
        let loose = training.looseFileCount
        let found =
            loose > 0
            ? "\(loose) \(kind.plural) lie in it directly, where they have no class"
            : problems.isEmpty
                ? "it is empty" : "it holds \(problems.count) other files or folders, such as \(problems[0])"
        return GraftError(
            .data,
            "\(path) holds no \(kind.plural) that can be used: \(found). Expected one folder a class, such as \(path)/cats and "
                + "\(path)/dogs, or train/ and validation/ that hold them, with files named .\(extensions)")
    }

    private func oneClass(_ only: ClassFolders.Class) -> GraftError {
        let inner = Set(only.files.compactMap { $0.split(separator: "/").dropLast().first.map(String.init) })
        let advice =
            inner.count > 1
            ? "if the folders in it (\(Self.list(inner.sorted()))) are the classes, name \(only.path) instead"
            : "add a folder with \(kind.plural) of something else"
        return GraftError(
            .data,
            "\(training.path) holds a single class, \(only.name); telling \(kind.plural) apart takes at least two: \(advice)"
        )
    }

    private static func check(_ part: ClassFolders, areAmong expected: [String]) throws(GraftError) {
        let unknown = part.classes.map(\.name).filter { !expected.contains($0) }
        guard unknown.isEmpty else {
            throw GraftError(
                .data,
                "\(part.path) holds the classes \(list(unknown)), which the model does not know; it knows "
                    + list(expected))
        }
    }

    private func checkSameClasses(in part: ClassFolders, as names: [String]) throws(GraftError) {
        let others = part.classes.map(\.name)
        let missing = names.filter { !others.contains($0) }
        let surplus = others.filter { !names.contains($0) }
        guard missing.isEmpty, surplus.isEmpty else {
            let differences = [
                missing.isEmpty ? nil : "\(Self.list(missing)) only in \(training.path)",
                surplus.isEmpty ? nil : "\(Self.list(surplus)) only in \(part.path)",
            ]
            throw GraftError(
                .data,
                "the classes differ: \(differences.compactMap { $0 }.joined(separator: "; ")). Both need the same folders, "
                    + "each with at least one \(kind.singular)")
        }
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(10).joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}
