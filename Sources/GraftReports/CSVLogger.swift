import Foundation
import GraftModel

/// Writes each epoch's figures into a table, as Keras's callback of this name does: byte for byte the same file from the
/// same figures.
///
/// The first column is the epoch, counted from 0 as in Keras; then the figures in the order of the alphabet, `NA` where
/// one was not measured; lines end as RFC 4180 has it. A line is in the file when its epoch is done.
///
/// For a table with Graft's own counting and a chart see ``HistoryRecorder``.
///
/// Source: keras/src/callbacks/csv_logger.py, version 3.15.
public final class CSVLogger: Callback {
    /// Where the table is written.
    public let path: String
    private let separator: String
    private let append: Bool
    private var file: File?
    /// The figures with a column, `nil` before the first line.
    private var keys: [String]?
    /// Where the next line begins.
    private var end = 0

    /// - Parameters:
    ///   - path: the file; its folder must exist.
    ///   - separator: what is between two cells.
    ///   - append: whether lines are added to a file that is there; otherwise it is written anew.
    public init(_ path: String, separator: String = ",", append: Bool = false) {
        (self.path, self.separator, self.append) = (path, separator, append)
    }

    /// Opens the file, adds a line an epoch, closes it.
    ///
    /// - Throws: `GraftError` with code `file` where the file cannot be written.
    public func handle(_ event: TrainingEvent, in run: TrainingRun) throws {
        switch event {
        case .began:
            let file = try File(ensuring: path)
            (self.file, keys, end) = (file, nil, append ? file.byteCount : 0)
        case .epoch(let report): try add(report)
        case .ended: file = nil
        default: break
        }
    }

    private func add(_ report: EpochReport) throws {
        guard let file else { return }
        let keys = try keys ?? begin(file, report.figures)
        try write(
            ["\(report.epoch - 1)"]
                + keys.map { key in report.figures[key].map { $0.isNaN ? "nan" : "\($0)" } ?? "NA" }, to: file)
    }

    /// Cuts off what is after the place where the first line belongs, and writes the header where there is none.
    private func begin(_ file: File, _ figures: [String: Double]) throws -> [String] {
        var names = figures.keys.sorted()
        if !names.contains(where: { $0.hasPrefix("val_") }) { names += names.map { "val_\($0)" } }
        keys = names
        try file.truncate(to: end)
        if end == 0 { try write(["epoch"] + names, to: file) }
        return names
    }

    private func write(_ cells: [String], to file: File) throws {
        var bytes = Array((cells.map(quoted).joined(separator: separator) + "\r\n").utf8)
        try bytes.withUnsafeMutableBytes { try file.write(UnsafeRawBufferPointer($0), at: end) }
        end += bytes.count
    }

    /// A cell, in quotes where it would not be one without.
    private func quoted(_ cell: String) -> String {
        let needsQuotes = cell.contains(separator) || cell.contains { "\"\r\n".contains($0) }
        return needsQuotes ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }

    /// The columns, and where the next line begins.
    public var state: CallbackState? {
        CallbackState(values: ["keys": keys.map { .array($0.map { .string($0) }) } ?? .null, "end": .int(end)])
    }

    /// Goes on after the last line that the checkpoint knows; lines after it, of epochs that are done again, go. Where
    /// the file is shorter than that, the table begins anew.
    public func restore(_ state: CallbackState) throws {
        let reader = CallbackStateReader("CSVLogger", state)
        let (known, position) = (try reader.texts("keys"), try reader.count("end") ?? 0)
        guard let file, position <= file.byteCount else { return end = 0 }
        (keys, end) = (known, position)
        if known != nil { try file.truncate(to: position) }
    }
}
