import Graft

/// Turns what happens during training into lines: one that rewrites itself on a terminal, a line an epoch elsewhere.
final class ProgressReporter {
    private let console: Console
    private var outline: TrainingOutline?

    init(console: Console) { self.console = console }

    func handle(_ event: TrainingEvent) {
        switch event {
        case .began(let outline): self.outline = outline
        case .features(let progress): showFeatures(progress)
        case .problem(let failure): console.warn("left out \(failure)")
        case .epochBegan: break
        case .step(let report): showStep(report)
        case .validation(let epoch, let progress):
            console.progress(Self.line("\(label(epoch))  validation", progress))
        case .epoch(let report): showEpoch(report)
        case .ended: console.closeProgressLine()
        }
    }

    private func showFeatures(_ progress: Progress) {
        if progress.done < progress.total {
            console.progress(Self.line("features", progress))
        } else {
            console.say(
                "features of \(progress.total) images, \(progress.elapsed.asDuration)\(Self.rateSuffix(progress))")
        }
    }

    private func showStep(_ report: StepReport) {
        console.progress(
            "\(label(report.epoch))  \(Self.bar(report.progress)) \(Self.figures(report.figures))  \(Self.remaining(report.progress))"
        )
    }

    private func showEpoch(_ report: EpochReport) {
        console.say("\(label(report.epoch))  \(Self.figures(report.figures))  \(report.seconds.asDuration)")
        var object = JSONObject(event: "epoch")
        object.add("epoch", .int(report.epoch))
        for key in Self.ordered(report.figures) { object.add(key, .number(report.figures[key] ?? .nan)) }
        object.add("seconds", .number(report.seconds))
        console.emit(object)
    }

    private func label(_ epoch: Int) -> String { "epoch \(epoch)/\(outline?.epochs ?? epoch)" }

    /// `loss` first, then the metrics, then the same for validation.
    static func ordered(_ figures: [String: Double]) -> [String] {
        figures.keys.sorted {
            func rank(_ key: String) -> (Int, Int, String) {
                (key.hasPrefix("val_") ? 1 : 0, key.hasSuffix("loss") ? 0 : 1, key)
            }
            return rank($0) < rank($1)
        }
    }

    static func figures(_ figures: [String: Double]) -> String {
        ordered(figures).map { "\($0) \((figures[$0] ?? .nan).fixed(4))" }.joined(separator: "  ")
    }

    static func bar(_ progress: Progress) -> String { bar(done: progress.done, total: progress.total) }

    /// A bar of twenty cells with the count behind it.
    static func bar(done: Int, total: Int) -> String {
        let cells = 20
        let full = total > 0 ? min(done * cells / total, cells) : 0
        return String(repeating: "━", count: full) + String(repeating: "─", count: cells - full) + " \(done)/\(total)"
    }

    /// A line that says how far something is, how fast it goes and how long it will take.
    static func line(_ title: String, _ progress: Progress) -> String {
        "\(title)  \(bar(progress))  \(rate(progress))\(remaining(progress))"
    }

    private static func rate(_ progress: Progress) -> String {
        progress.elapsed > 0 ? "\((Double(progress.done) / progress.elapsed).fixed(0)) images/s  " : ""
    }

    private static func rateSuffix(_ progress: Progress) -> String {
        progress.elapsed > 0 ? " (\((Double(progress.total) / progress.elapsed).fixed(0)) images/s)" : ""
    }

    private static func remaining(_ progress: Progress) -> String {
        progress.remaining.map { "\($0.asDuration) left" } ?? ""
    }
}
