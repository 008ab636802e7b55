/// Texts with their labels and parts, before any of them is made into tokens: what the audit and training begin with.
public struct TextListing: Sendable {
    /// A text.
    public struct Entry: Sendable, Hashable {
        /// The text.
        public let text: String
        /// What messages call it: the path of its file, or the table and the line.
        public let name: String
        /// Which part it belongs to.
        public let part: DatasetPart
        /// Its class, several labels, or none where nothing says.
        public let labels: [String]
    }

    /// The folder or the table.
    public let path: String
    /// In the order of the classes and names, or of the table.
    public let entries: [Entry]
    /// The files, folders and rows that take no part, and why.
    public let problems: [FileProblem]
    /// Whether the folder or table itself says which texts are for validation or test.
    public let hasParts: Bool

    /// Which columns of a table count, by names in whatever case; of several the first that is there.
    public struct Columns: Sendable, Hashable {
        /// The text.
        public var text: [String]
        /// Its class, several labels with `|` between them, or numbers.
        public var label: [String]

        /// Those that data sets usually have.
        public static let usual = Columns(
            text: ["text", "sentence", "question", "content", "review", "message", "utterance", "comment", "body"],
            label: ["label", "category", "class", "intent", "labels", "sentiment", "topic", "target", "score"])

        /// These columns.
        public init(text: [String], label: [String]) { (self.text, self.label) = (text, label) }

        /// Those that were named, and else the usual ones.
        public init(text: String? = nil, label: String? = nil) {
            self.init(
                text: text.map { [$0.lowercased()] } ?? Self.usual.text,
                label: label.map { [$0.lowercased()] } ?? Self.usual.label)
        }

        var table: LabelledTable.Columns {
            let (text, label) = (text.first ?? "text", label.first ?? "label")
            return LabelledTable.Columns(
                content: self.text, label: self.label,
                expectedHeader:
                    "expected a first line that names a column \(self.text.prefix(4).joined(separator: ", ")), and "
                    + "\(self.label.prefix(3).joined(separator: ", ")) and split where they are known, such as \(text),\(label); "
                    + "others are named by --text-column and --label-column",
                expectedObject: "{\"\(text)\": \"My card has not arrived.\", \"\(label)\": \"card\"}")
        }
    }

    /// The most bytes of a file of texts.
    static let maximumByteCount = LabelledTable.maximumByteCount

    static let files = FileKind(plural: "texts", singular: "text", extensions: ["txt"])

    /// Reads a table (`.csv`, `.tsv`, `.jsonl`, `.ndjson`), or a folder with one folder a class of `.txt` files, each of which is a
    /// text.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` where a table is not one, `data` where there is
    ///   no text.
    public init(at path: String, columns: Columns = .usual) throws(GraftError) {
        if let format = LabelledTable.Format(path: path) {
            self = try Self.table(path, format, columns)
        } else {
            self = try Self.folder(path)
        }
        guard !entries.isEmpty else {
            throw GraftError(
                .data,
                "\(path) holds no texts" + (problems.first.map { "; what it holds is left out, such as \($0)" } ?? ""))
        }
    }

    init(path: String, entries: [Entry], problems: [FileProblem], hasParts: Bool) {
        (self.path, self.entries, self.problems, self.hasParts) = (path, entries, problems, hasParts)
    }

    private static func table(
        _ path: String, _ format: LabelledTable.Format, _ columns: Columns
    ) throws(GraftError) -> TextListing {
        let table = try LabelledTable(contentsOf: path, format, columns.table)
        var (entries, problems): ([Entry], [FileProblem]) = ([], [])
        for row in table.rows {
            let name = "\(path):\(row.line)"
            if row.content.utf8.allSatisfy({ $0 <= 0x20 }) {
                problems.append(FileProblem(path: name, reason: "its text is empty", .unreadable))
            } else {
                entries.append(Entry(text: row.content, name: name, part: row.part ?? .training, labels: row.labels))
            }
        }
        return TextListing(path: path, entries: entries, problems: problems, hasParts: table.hasSplit)
    }

    private static func folder(_ path: String) throws(GraftError) -> TextListing {
        let layout = try FolderLayout(at: path, of: files)
        var (entries, problems): ([Entry], [FileProblem]) = ([], layout.problems)
        for (part, folders) in [
            (DatasetPart.training, layout.training), (.validation, layout.validation), (.test, layout.test),
        ] {
            for folder in folders?.classes ?? [] {
                for file in folder.files {
                    let name = FolderListing.join(folder.path, file)
                    do throws(GraftError) {
                        let text = try TextFile.text(contentsOf: name)
                        entries.append(Entry(text: text, name: name, part: part, labels: [folder.name]))
                    } catch {
                        problems.append(FileProblem(path: name, reason: error.message, .unreadable))
                    }
                }
            }
        }
        return TextListing(
            path: path, entries: entries, problems: problems, hasParts: layout.validation != nil || layout.test != nil)
    }
}

// MARK: What kind of data there is

extension TextListing {
    /// Whether a path holds texts to learn from, told by itself: a table with a column for texts and none for paths of images, or
    /// a folder whose classes are of `.txt` files.
    public static func isText(_ path: String, columns: Columns = .usual) -> Bool {
        guard let format = LabelledTable.Format(path: path) else {
            guard FolderListing.kind(of: path) == .folder else { return false }
            return (try? FolderLayout(at: path, of: files).checkClasses(expected: nil)) != nil
        }
        guard let head = try? FileHead(path: path, count: 1 << 16),
            let names = try? LabelledTable.columnNames(head.bytes, format), !names.contains("path")
        else { return false }
        return columns.text.contains { names.contains($0) }
    }
}
