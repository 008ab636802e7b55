import GraftLearning
import GraftReports

extension ModelReport {
    /// What a report says of new images, in one sentence.
    func driftLine(_ drift: Drift) -> String {
        guard let first = drift.changes.first else {
            return "The \(drift.counts.new) new images look like those that this rests on, as far as was looked at."
        }
        return
            "The \(drift.counts.new) new images are not like those that this rests on, first of all in \(first.title): the accuracy above need not hold for them."
    }

    /// Whether the new images look like the old ones.
    func addDrift(to page: inout HTMLPage) {
        guard let drift else { return }
        page.section("The new images", id: "new")
        page.paragraph(driftLine(drift))
        page.paragraph(
            "\(drift.counts.new) new images beside \(drift.counts.old). Of \(drift.measures.count) comparisons (Mann–Whitney, Kolmogorov–Smirnov, a linear probe) one is called changed where chance gives it less often than \(hundredths(100 * Drift.level)) in 100 by all of them together."
        )
        if let unlike = drift.unlike {
            page.paragraph(
                "Unlike anything in training: \(percent(unlike.new.value)) of the new images, \(percent(unlike.old.value)) of the old ones."
            )
        }
        let changes = drift.changes
        let row = { (measure: Drift.Measure) -> [String] in
            [
                measure.title, hundredths(measure.medians.old), hundredths(measure.medians.new),
                hundredths(measure.areaUnderCurve),
                scientific(measure.probability),
            ]
        }
        let heads = ["", "Median", "Median of the new", "Area", "Chance"]
        if !changes.isEmpty {
            page.table(
                "What has changed, the least likely first. Area: how often a new image has more of it.", heads,
                changes.map(row))
        }
        page.details("All comparisons") { page in
            page.table("The least likely first.", heads, drift.measures.map(row))
        }
        page.details("What the model calls them") { page in
            let shares = zip(classNames, drift.predictedShares).sorted { $0.1.new > $1.1.new }
            page.table(
                "The share that is called each class.", ["Class", "Old", "New"],
                shares.prefix(40).map { [$0.0, percent($0.1.old), percent($0.1.new)] })
        }
        page.heading(drift.unlike == nil ? "Least sure of" : "Least like training")
        page.gallery(
            drift.strangest.compactMap { path in
                pictures.plain[path].map { ($0, "New image \(shortName(path))", shortName(path)) }
            })
        if !drift.failures.isEmpty {
            page.list(drift.failures.prefix(20).map { "\(shortName($0.path)): \($0.message)" })
        }
    }

    /// `0.02`, `3e-7`.
    private func scientific(_ value: Double) -> String {
        guard value > 0, value < 0.01 else { return hundredths(value) }
        var (digits, exponent) = (value, 0)
        while digits < 1, exponent < 320 {
            digits *= 10
            exponent += 1
        }
        return "\(Int(digits.rounded()))e-\(exponent)"
    }
}
