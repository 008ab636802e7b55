import Foundation
import GraftData
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
    private let path: String
    private let table: LabelledTable

    /// Whether a path is taken for a table's: by its extension.
    public static func isTable(_ path: String) -> Bool { format(path) != nil }

    private static func format(_ path: String) -> LabelledTable.Format? {
        switch LabelledTable.Format(path: path) {
        case .csv: .csv
        case .jsonLines: .jsonLines
        case .tsv, nil: nil
        }
    }

    /// Reads a table; no image is opened.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` with the line where it is not a table.
    init(contentsOf path: String) throws(GraftError) {
        table = try LabelledTable(contentsOf: path, Self.format(path) ?? .csv, Self.columns)
        if let row = table.rows.first(where: { $0.content.isEmpty || $0.content.utf8.contains(0) }) {
            throw GraftError(
                .format,
                "\(path): line \(row.line): its path is \(row.content.isEmpty ? "empty" : "no path of a file")")
        }
        self.path = path
    }

    private static let columns = LabelledTable.Columns(
        content: ["path"],
        expectedHeader:
            "expected a first line that names a column path, and label and split where they are known, such as path,label,split",
        expectedObject: "{\"path\": \"a.png\", \"label\": \"cats\", \"split\": \"train\"}")

    /// The images with their labels, in the table's order; those that are not there are named among the problems.
    func listing() -> ImageListing {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        var entries: [ImageListing.Entry] = []
        var problems: [ImageProblem] = []
        for row in table.rows {
            let isWhole = row.content.hasPrefix("/") || !path.contains("/")
            let file = isWhole ? row.content : folder + "/" + row.content
            switch FolderListing.kind(of: file) {
            case .file:
                entries.append(
                    ImageListing.Entry(path: file, name: row.content, part: row.part ?? .training, labels: row.labels))
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
        return ImageListing(path: path, entries: entries, problems: problems, hasParts: table.hasSplit)
    }
}
