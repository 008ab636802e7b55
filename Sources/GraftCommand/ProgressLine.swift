import Graft

/// A line that says how far something is; on a narrow terminal it says less, the most important last to go.
struct ProgressLine {
    /// What is being done: `epoch 2/5`.
    var title: String
    /// The share that is done, 0 to 1.
    var fraction: Double
    /// The same in numbers: `120/1000`.
    var count: String
    /// What was measured so far: `loss 0.4512  accuracy 0.8100`.
    var figures = ""
    /// How fast it goes: `49 images/s`.
    var rate = ""
    /// How long it will take: `12 s left`.
    var remaining = ""

    /// The cells of a full bar.
    static let barCells = 20
    private static let leastBarCells = 5

    /// The line in fewer than `width` columns, so that the cursor stays on it.
    func text(width: Int) -> String {
        // From all that there is to say down to what must be said.
        let candidates: [(hasBar: Bool, parts: [String])] = [
            (true, [count, figures, rate, remaining]), (true, [count, figures, remaining]),
            (false, [count, figures, remaining]), (true, [count, remaining]), (false, [count, remaining]),
            (false, [count]),
        ]
        for candidate in candidates {
            let words = ([title] + candidate.parts).filter { !$0.isEmpty }
            let room = width - 1 - words.joined(separator: "  ").count
            guard candidate.hasBar else {
                if room >= 0 { return words.joined(separator: "  ") }
                continue
            }
            let cells = min(room - 2, Self.barCells)
            guard cells >= Self.leastBarCells else { continue }
            return ([words[0], bar(cells: cells)] + words.dropFirst()).joined(separator: "  ")
        }
        return String("\(title)  \(count)".prefix(max(width - 1, 0)))
    }

    private func bar(cells: Int) -> String {
        let full = min(max(Int(fraction * Double(cells)), 0), cells)
        return String(repeating: "━", count: full) + String(repeating: "─", count: cells - full)
    }
}

extension ProgressLine {
    /// The line of work on images, or on what `unit` calls them: with the rate where there are no figures to show.
    init(_ title: String, _ progress: Progress, figures: String = "", unit: String = "image") {
        self.init(
            title: title, fraction: progress.total > 0 ? Double(progress.done) / Double(progress.total) : 1,
            count: "\(progress.done)/\(progress.total)", figures: figures)
        if figures.isEmpty { rate = Self.rate(of: progress.done, seconds: progress.elapsed, unit: unit) ?? "" }
        remaining = progress.remaining.map { "\($0.asTimeLeft) left" } ?? ""
    }

    /// Images a second, or what `unit` calls them, where there is something to say.
    static func rate(of count: Int, seconds: Double, unit: String = "image") -> String? {
        guard count > 0, seconds > 0 else { return nil }
        return "\((Double(count) / seconds).fixed(0)) \(unit)s/s"
    }
}
