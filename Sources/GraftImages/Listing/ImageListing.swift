import GraftData
import GraftGraph

/// The images of a folder or a table with their labels and parts, before any of them is opened: what the audit, splits and
/// training begin with.
public struct ImageListing: Sendable {
    /// An image by name.
    public struct Entry: Sendable, Hashable {
        /// Where the file lies.
        public let path: String
        /// Its path below the folder, or as the table has it.
        public let name: String
        /// Which part it belongs to.
        public let part: DatasetPart
        /// What it shows: its class, several labels, or none where nothing says.
        public let labels: [String]
    }

    /// The folder or the table.
    public let path: String
    /// In the order of the classes and names, or of the table.
    public let entries: [Entry]
    /// The files and folders that take no part, and why.
    public let problems: [ImageProblem]
    /// Whether the folder or table itself says which images are for validation or test.
    public let hasParts: Bool

    /// Reads a folder's names, or a table: a file whose name ends in `.csv`, `.jsonl` or `.ndjson`.
    ///
    /// A folder of images without folders of classes gives images without labels.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` where a table is not one, `data` where there is
    ///   no image.
    public init(at path: String) throws(GraftError) {
        if ImageTable.isTable(path) {
            self = try ImageTable(contentsOf: path).listing()
        } else {
            self = try Self.folder(path)
        }
        guard !entries.isEmpty else {
            throw GraftError(
                .data,
                "\(path) holds no images that Graft reads, such as a.jpg or b.png"
                    + (problems.first.map { "; what it holds is left out, such as \($0)" } ?? ""))
        }
    }

    init(path: String, entries: [Entry], problems: [ImageProblem], hasParts: Bool) {
        (self.path, self.entries, self.problems, self.hasParts) = (path, entries, problems, hasParts)
    }

    /// The names of all labels, sorted by code points.
    public var classNames: [String] {
        var names: Set<String> = []
        for entry in entries { names.formUnion(entry.labels) }
        return names.sorted { FolderListing.precedes($0, $1) }
    }

    private static func folder(_ path: String) throws(GraftError) -> ImageListing {
        let layout = try FolderLayout(at: path, of: .images)
        let parts: [(ClassFolders?, DatasetPart)] = [
            (layout.training, .training), (layout.validation, .validation), (layout.test, .test),
        ]
        var entries: [Entry] = []
        for (part, name) in parts {
            guard let part else { continue }
            for folder in part.classes {
                entries += folder.files.map {
                    entry(FolderListing.join(folder.path, $0), below: path, name, [folder.name])
                }
            }
        }
        if entries.isEmpty {
            let (paths, problems) = try ClassFolders.allFiles(of: .images, below: path)
            return ImageListing(
                path: path, entries: paths.map { entry($0, below: path, .training, []) }, problems: problems,
                hasParts: false)
        }
        return ImageListing(
            path: path, entries: entries, problems: layout.problems,
            hasParts: layout.validation != nil || layout.test != nil)
    }

    private static func entry(_ file: String, below root: String, _ part: DatasetPart, _ labels: [String]) -> Entry {
        let start = root.hasSuffix("/") ? root : root + "/"
        let name = file.hasPrefix(start) ? String(file.dropFirst(start.count)) : file
        return Entry(path: file, name: name, part: part, labels: labels)
    }
}
