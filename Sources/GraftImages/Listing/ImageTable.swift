import Foundation
import GraftGraph

/// A table that names images and says what they show: CSV with a header, or JSON lines.
///
/// ```
/// path,label,split                      {"path": "scans/1.png", "label": "healthy", "split": "train"}
/// scans/1.png,healthy,train             {"path": "scans/2.png", "label": ["ill", "old"], "split": "test"}
/// scans/2.png,ill|old,test
/// ```
///
/// - `path`: the image, absolute or from the table's folder.
/// - `label`: its class; several with `|` between them, in JSON also a list; for regression one number or several. Needed by
///   what trains and evaluates.
/// - `split`: `train`, `validation` (`val`, `valid`) or `test`; empty is `train`.
///
/// Other columns are passed over. The table is untrusted: its size, its fields and its records are limited, and a record that
/// makes no sense is an error with its line.
public struct ImageTable: Sendable {
    /// The most bytes of a table.
    static let maximumByteCount = 1 << 29
    /// The most images of a table.
    static let maximumRowCount = 20_000_000

    /// An image of the table.
    struct Row {
        let line: Int
        let path: String
        let labels: [String]
        let part: DatasetPart?
    }

    let path: String
    let rows: [Row]
    /// Whether there is a column, or a member in any object, for the part.
    let hasSplit: Bool

    /// Whether a path is taken for a table's: by its extension.
    public static func isTable(_ path: String) -> Bool { isCSV(path) || isJSON(path) }

    private static func isCSV(_ path: String) -> Bool { path.lowercased().hasSuffix(".csv") }
    private static func isJSON(_ path: String) -> Bool {
        [".jsonl", ".ndjson"].contains { path.lowercased().hasSuffix($0) }
    }

    /// Reads a table; no image is opened.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` with the line where it is not a table.
    init(contentsOf path: String) throws(GraftError) {
        do throws(GraftError) {
            let bytes = try FileBytes.read(path, limit: Self.maximumByteCount)
            let rows = try Self.isJSON(path) ? Self.objects(bytes) : Self.records(bytes)
            self.rows = rows.rows
            hasSplit = rows.hasSplit
        } catch {
            throw error.inside(path)
        }
        self.path = path
    }

    /// The images with their labels, in the table's order; those that are not there are named among the problems.
    func listing() -> ImageListing {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        var entries: [ImageListing.Entry] = []
        var problems: [ImageProblem] = []
        for row in rows {
            let isWhole = row.path.hasPrefix("/") || !path.contains("/")
            let file = isWhole ? row.path : folder + "/" + row.path
            switch FolderListing.kind(of: file) {
            case .file:
                entries.append(
                    ImageListing.Entry(path: file, name: row.path, part: row.part ?? .training, labels: row.labels))
            case .other(let reason):
                problems.append(ImageProblem(path: file, reason: "line \(row.line): \(reason)", .special))
            case .folder:
                problems.append(
                    ImageProblem(path: file, reason: "line \(row.line): is a folder, not an image", .special))
            case nil:
                problems.append(
                    ImageProblem(path: file, reason: "line \(row.line): there is no such file", .unreadable))
            }
        }
        return ImageListing(path: path, entries: entries, problems: problems, hasParts: hasSplit)
    }

    // MARK: CSV

    private static func records(_ bytes: [UInt8]) throws(GraftError) -> (rows: [Row], hasSplit: Bool) {
        var reader = CSVReader(bytes)
        guard let header = try reader.next() else { throw GraftError(.format, "it is empty; \(expected)") }
        let names = header.map { $0.trimmed.lowercased() }
        guard let path = names.firstIndex(of: "path") else {
            throw GraftError(
                .format,
                "its first line names the columns \(header.prefix(10).joined(separator: ", ")); "
                    + expected)
        }
        let (label, split) = (names.firstIndex(of: "label"), names.firstIndex(of: "split"))
        var rows: [Row] = []
        while let fields = try reader.next() {
            guard fields.count == header.count else {
                throw GraftError(
                    .format, "line \(reader.line): it has \(fields.count) fields, the first line \(header.count)")
            }
            rows.append(
                try row(
                    reader.line, path: fields[path], labels: label.map { labels(in: fields[$0]) } ?? [],
                    split: split.map { fields[$0] }))
            try check(rows.count)
        }
        return (rows, split != nil)
    }

    /// Several labels stand between bars; spaces around them do not count.
    private static func labels(in field: String) -> [String] {
        field.split(separator: "|").map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    // MARK: JSON lines

    private struct Object: Decodable {
        let path: String
        let label: Configuration?
        let split: String?
    }

    private static func objects(_ bytes: [UInt8]) throws(GraftError) -> (rows: [Row], hasSplit: Bool) {
        var rows: [Row] = []
        var hasSplit = false
        for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else { continue }
            guard line.count <= CSVReader.maximumFieldBytes else {
                throw GraftError(.format, "line \(number + 1): it has more than \(CSVReader.maximumFieldBytes) bytes")
            }
            let object: Object
            do {
                object = try JSONDecoder().decode(Object.self, from: Data(line))
            } catch {
                throw GraftError(
                    .format,
                    "line \(number + 1): \"\(line.prefix(60).printable)\" is not an object such as "
                        + "{\"path\": \"a.png\", \"label\": \"cats\", \"split\": \"train\"}")
            }
            hasSplit = hasSplit || object.split != nil
            rows.append(
                try row(
                    number + 1, path: object.path, labels: labels(object.label, line: number + 1), split: object.split))
            try check(rows.count)
        }
        return (rows, hasSplit)
    }

    private static func labels(_ value: Configuration?, line: Int) throws(GraftError) -> [String] {
        switch value {
        case nil, .null: return []
        case .string(let text): return labels(in: text)
        case .int(let number): return ["\(number)"]
        case .double(let number): return ["\(number)"]
        case .array(let elements):
            var all: [String] = []
            for element in elements {
                guard element.elements == nil else { throw noLabel(line) }
                all += try labels(element, line: line)
            }
            return all
        default: throw noLabel(line)
        }
    }

    private static func noLabel(_ line: Int) -> GraftError {
        GraftError(.format, "line \(line): the label must be a text, a number or a list of them")
    }

    // MARK: Both

    private static let expected =
        "expected a first line that names a column path, and label and split where they are known, such as path,label,split"

    private static func check(_ count: Int) throws(GraftError) {
        guard count <= maximumRowCount else { throw GraftError(.format, "it has more than \(maximumRowCount) rows") }
    }

    private static func row(
        _ line: Int, path: String, labels: [String], split: String?
    ) throws(GraftError) -> Row {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw GraftError(.format, "line \(line): its path is \(path.isEmpty ? "empty" : "no path of a file")")
        }
        let name = split?.trimmed ?? ""
        let part = DatasetPart(named: name)
        guard part != nil || name.isEmpty else {
            throw GraftError(
                .format,
                "line \(line): its split is '\(name.prefix(40))'; the parts are train, validation and test"
            )
        }
        return Row(line: line, path: path, labels: labels, part: part)
    }
}

extension String {
    /// Without spaces at its ends.
    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
