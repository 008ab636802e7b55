import Foundation
import GraftGraph

/// A table with an example a row: CSV or TSV with a header, or JSON lines. Which columns count is said by the rooms that know the
/// kind of examples.
///
/// The table is untrusted: its size, its fields and its records are limited, and a record that makes no sense is an error with its
/// line.
package struct LabelledTable: Sendable {
    /// The most bytes of a table.
    package static let maximumByteCount = 1 << 29
    /// The most rows of a table.
    package static let maximumRowCount = 20_000_000

    /// The columns that count, by names in lower case; of several the first that is there.
    package struct Columns: Sendable {
        /// What the example is, or where it lies.
        package var content: [String]
        package var label: [String]
        package var split: [String]
        /// What messages expect of a header, and of an object.
        package var expectedHeader: String
        package var expectedObject: String

        package init(
            content: [String], label: [String] = ["label"], split: [String] = ["split"], expectedHeader: String,
            expectedObject: String
        ) {
            (self.content, self.label, self.split) = (content, label, split)
            (self.expectedHeader, self.expectedObject) = (expectedHeader, expectedObject)
        }
    }

    /// How a table is written.
    package enum Format: Sendable {
        case csv, tsv, jsonLines

        /// By the extension of a file's name; `nil` for any other.
        package init?(path: String) {
            switch FileKind.fileExtension(of: FolderListing.name(of: path)) {
            case "csv": self = .csv
            case "tsv": self = .tsv
            case "jsonl", "ndjson": self = .jsonLines
            default: return nil
            }
        }
    }

    /// An example.
    package struct Row: Sendable {
        package let line: Int
        package let content: String
        package let labels: [String]
        package let part: DatasetPart?
    }

    package let rows: [Row]
    /// Whether there is a column, or a member in any object, for the part.
    package let hasSplit: Bool

    /// Reads a table.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be read, `format` with the line where it is not a table.
    package init(contentsOf path: String, _ format: Format, _ columns: Columns) throws(GraftError) {
        do throws(GraftError) {
            try self.init(try FileBytes.read(path, limit: Self.maximumByteCount), format, columns)
        } catch {
            throw error.inside(path)
        }
    }

    /// Reads a table's bytes.
    ///
    /// - Throws: `GraftError` with code `format` with the line where they are not a table.
    package init(_ bytes: [UInt8], _ format: Format, _ columns: Columns) throws(GraftError) {
        let found =
            switch format {
            case .csv: try Self.records(CSVReader(bytes), columns)
            case .tsv: try Self.records(CSVReader(tabSeparated: bytes), columns)
            case .jsonLines: try Self.objects(bytes, columns)
            }
        (rows, hasSplit) = found
    }

    /// The names of a table's columns, in lower case; of JSON lines the first object's members.
    ///
    /// - Throws: as ``init(contentsOf:_:_:)``.
    package static func columnNames(_ bytes: [UInt8], _ format: Format) throws(GraftError) -> [String] {
        switch format {
        case .csv, .tsv:
            var reader = format == .csv ? CSVReader(bytes) : CSVReader(tabSeparated: bytes)
            return try (reader.next() ?? []).map(Self.columnName)
        case .jsonLines:
            let line = bytes.split(separator: 0x0A).first { $0.contains { ![0x20, 0x09, 0x0D].contains($0) } }
            guard let line, line.count <= CSVReader.maximumFieldBytes,
                let object = try? JSONDecoder().decode([String: Configuration].self, from: Data(line))
            else { return [] }
            return object.keys.sorted()
        }
    }

    private static func columnName(_ field: String) -> String { field.trimmed.lowercased() }

    // MARK: CSV

    private static func records(
        _ reader: CSVReader, _ columns: Columns
    ) throws(GraftError) -> (rows: [Row], hasSplit: Bool) {
        var reader = reader
        guard let header = try reader.next() else {
            throw GraftError(.format, "it is empty; \(columns.expectedHeader)")
        }
        let names = header.map(columnName)
        func place(_ wanted: [String]) -> Int? { wanted.lazy.compactMap { names.firstIndex(of: $0) }.first }
        guard let content = place(columns.content) else {
            throw GraftError(
                .format,
                "its first line names the columns \(header.prefix(10).joined(separator: ", ")); "
                    + columns.expectedHeader)
        }
        let (label, split) = (place(columns.label), place(columns.split))
        var rows: [Row] = []
        while let fields = try reader.next() {
            guard fields.count == header.count else {
                throw GraftError(
                    .format, "line \(reader.line): it has \(fields.count) fields, the first line \(header.count)")
            }
            rows.append(
                Row(
                    line: reader.line, content: fields[content], labels: label.map { labels(in: fields[$0]) } ?? [],
                    part: try split.map { (place) throws(GraftError) in try part(fields[place], reader.line) } ?? nil))
            try check(rows.count)
        }
        return (rows, split != nil)
    }

    /// Several labels stand between bars; spaces around them do not count.
    private static func labels(in field: String) -> [String] {
        field.split(separator: "|").map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    // MARK: JSON lines

    private static func objects(
        _ bytes: [UInt8], _ columns: Columns
    ) throws(GraftError) -> (rows: [Row], hasSplit: Bool) {
        var rows: [Row] = []
        var hasSplit = false
        for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else { continue }
            guard line.count <= CSVReader.maximumFieldBytes else {
                throw GraftError(.format, "line \(number + 1): it has more than \(CSVReader.maximumFieldBytes) bytes")
            }
            guard let object = try? JSONDecoder().decode([String: Configuration].self, from: Data(line)),
                let content = columns.content.lazy.compactMap({ object[$0] }).first?.text,
                let split = Self.optionalText(columns.split.lazy.compactMap({ object[$0] }).first)
            else {
                throw GraftError(
                    .format,
                    "line \(number + 1): \"\(line.prefix(60).printable)\" is not an object such as "
                        + columns.expectedObject)
            }
            hasSplit = hasSplit || split.text != nil
            let label = columns.label.lazy.compactMap { object[$0] }.first
            rows.append(
                Row(
                    line: number + 1, content: content, labels: try labels(label, line: number + 1),
                    part: try split.text.map { (text) throws(GraftError) in try part(text, number + 1) } ?? nil))
            try check(rows.count)
        }
        return (rows, hasSplit)
    }

    /// A text, or nothing; `nil` for what is neither.
    private static func optionalText(_ value: Configuration?) -> (text: String?, Void)? {
        guard let value, !value.isNull else { return (nil, ()) }
        return value.text.map { ($0, ()) }
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

    private static func check(_ count: Int) throws(GraftError) {
        guard count <= maximumRowCount else { throw GraftError(.format, "it has more than \(maximumRowCount) rows") }
    }

    private static func part(_ split: String, _ line: Int) throws(GraftError) -> DatasetPart? {
        let name = split.trimmed
        let part = DatasetPart(named: name)
        guard part != nil || name.isEmpty else {
            throw GraftError(
                .format, "line \(line): its split is '\(name.prefix(40))'; the parts are train, validation and test")
        }
        return part
    }
}

extension String {
    /// Without spaces at its ends.
    package var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
