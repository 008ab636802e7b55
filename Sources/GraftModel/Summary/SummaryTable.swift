/// The lines that a table is drawn with.
public enum SummaryStyle: Sendable {
    /// Keras's frame.
    case boxes
    /// Columns apart by spaces alone, for logs.
    case plain
}

extension Model {
    /// The table that Keras prints, with a column for what is frozen, and the totals.
    ///
    /// - Parameters:
    ///   - width: The terminal's columns; at least 50 are used, and no more than the table needs to be easy to read.
    ///   - style: The lines between the cells.
    ///   - expandNested: Whether the layers inside models of the model get rows too.
    public final func summary(width: Int = 120, style: SummaryStyle = .boxes, expandNested: Bool = false) -> String {
        ModelSummary(of: self, expandNested: expandNested).table(width: width, style: style)
    }
}

extension ModelSummary {
    /// The table that Keras prints, with the totals, as wide as a terminal allows.
    public func table(width: Int = 120, style: SummaryStyle = .boxes) -> String {
        let columns = SummaryColumn.all(isSequential: isSequential)
        let limit = isSequential ? 100 : 120
        let widths = SummaryColumn.widths(of: columns, total: min(max(width, 50), limit))
        let grid = SummaryGrid(widths: widths, columns: columns, style: style)
        let lines = ["Model: \"\(name)\""] + grid.lines(rows) + totals
        return lines.joined(separator: "\n") + "\n"
    }

    private var totals: [String] {
        [
            Self.total("Total", totalParameters), Self.total("Trainable", trainableParameters),
            Self.total("Non-trainable", nonTrainableParameters),
        ]
    }

    private static func total(_ title: String, _ count: Int) -> String {
        " \(title) params: \(count.grouped) (\((count * MemoryLayout<Float>.size).memorySize))"
    }
}

/// One column of the table.
enum SummaryColumn {
    case layer, outputShape, parameters, connectedTo, trainable

    static func all(isSequential: Bool) -> [SummaryColumn] {
        isSequential
            ? [.layer, .outputShape, .parameters, .trainable]
            : [.layer, .outputShape, .parameters, .connectedTo, .trainable]
    }

    var title: String {
        switch self {
        case .layer: "Layer (type)"
        case .outputShape: "Output Shape"
        case .parameters: "Param #"
        case .connectedTo: "Connected to"
        case .trainable: "Trainable"
        }
    }

    func text(_ row: SummaryRow) -> String {
        switch self {
        case .layer:
            let prefix = row.level == 0 ? "" : String(repeating: "   ", count: row.level) + "└ "
            return "\(prefix)\(row.name) (\(row.type))"
        case .outputShape: return row.outputShape
        case .parameters: return row.isBuilt ? row.parameters.grouped : "0 (unbuilt)"
        case .connectedTo: return row.connectedTo.isEmpty ? "-" : row.connectedTo.joined(separator: ", ")
        case .trainable: return row.trainable.map { $0 ? "Y" : "N" } ?? "-"
        }
    }

    /// The columns of fixed width: wide enough for their titles and for any number that a model reaches.
    private var fixedWidth: Int? {
        switch self {
        case .parameters: 12
        case .trainable: 9
        default: nil
        }
    }

    /// The share of what the others leave.
    private var weight: Int {
        switch self {
        case .layer: 4
        case .outputShape, .connectedTo: 3
        case .parameters, .trainable: 0
        }
    }

    /// The width of each column's text, so that the table with its frame has this total.
    static func widths(of columns: [SummaryColumn], total: Int) -> [Int] {
        let fixed = columns.reduce(0) { $0 + ($1.fixedWidth ?? 0) }
        let available = total - 3 * columns.count - 1 - fixed
        let weights = columns.reduce(0) { $0 + $1.weight }
        var widths = columns.map { $0.fixedWidth ?? max(1, available * $0.weight / weights) }
        widths[0] += max(0, available + fixed - widths.reduce(0, +))
        return widths
    }
}

/// Draws cells of fixed widths; text that is too long continues in the next line.
private struct SummaryGrid {
    let widths: [Int]
    let columns: [SummaryColumn]
    let style: SummaryStyle

    func lines(_ rows: [SummaryRow]) -> [String] {
        let header = cells(columns.map(\.title), separator: "┃")
        let body = rows.map { row in cells(columns.map { $0.text(row) }, separator: "│") }
        guard style == .boxes else {
            return header + [rule("─", "─", "─", "─")] + body.joined() + [rule("─", "─", "─", "─")]
        }
        let between = rule("─", "├", "┼", "┤")
        return [rule("━", "┏", "┳", "┓")] + header + [rule("━", "┡", "╇", "┩")] + body.joined(separator: [between])
            + [rule("─", "└", "┴", "┘")]
    }

    private func rule(_ line: String, _ left: String, _ middle: String, _ right: String) -> String {
        left + widths.map { String(repeating: line, count: $0 + 2) }.joined(separator: middle) + right
    }

    private func cells(_ texts: [String], separator: String) -> [String] {
        let wrapped = zip(texts, widths).map { $0.wrapped(to: $1) }
        let height = wrapped.map(\.count).max() ?? 0
        let bar = style == .boxes ? separator : " "
        return (0..<height).map { line in
            let parts = columns.indices.map { column in
                let text = line < wrapped[column].count ? wrapped[column][line] : ""
                return " " + aligned(text, column) + " "
            }
            return bar + parts.joined(separator: bar) + bar
        }
    }

    private func aligned(_ text: String, _ column: Int) -> String {
        let room = max(0, widths[column] - text.count)
        let left =
            switch columns[column] {
            case .parameters: room
            case .trainable: room / 2
            default: 0
            }
        return String(repeating: " ", count: left) + text + String(repeating: " ", count: room - left)
    }
}

extension String {
    /// The text in lines of at most this width, broken at spaces where there are some; all lines are indented as the
    /// first one.
    fileprivate func wrapped(to width: Int) -> [String] {
        let indent = String(prefix { $0 == " " })
        let room = max(1, width - indent.count)
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count <= room {
                line += " " + word
                continue
            }
            if !line.isEmpty { lines.append(line) }
            var rest = word
            while rest.count > room {
                lines.append(String(rest.prefix(room)))
                rest = rest.dropFirst(room)
            }
            line = String(rest)
        }
        return (lines + [line]).map { String((indent + $0).prefix(width)) }
    }
}

extension Int {
    /// With a comma after every three digits: `21,802,784`.
    package var grouped: String {
        let digits = Array(String(magnitude))
        var text = self < 0 ? "-" : ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// A number of bytes as Keras prints it: `83.17 MB`, in steps of 1024.
    package var memorySize: String {
        let units = ["B", "KB", "MB", "GB", "TB", "PB"]
        var (size, unit) = (Double(self), 0)
        while size >= 1024, unit < units.count - 1 {
            size /= 1024
            unit += 1
        }
        let hundredths = Int((size * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) \(units[unit])"
    }
}
