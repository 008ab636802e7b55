import GraftImages
import GraftLearning
import GraftReports

extension ModelReport {
    /// The report as a page of HTML in one file, which loads nothing and needs no script.
    public var html: String {
        var page = HTMLPage(title: "What \(name) is worth")
        for line in answerLines { page.paragraph(line, kind: "answer") }
        if !isHeldBack {
            page.paragraph(
                "The model does not remember which images were held back from its training: if it learned from these, it will do worse on others.",
                kind: "note")
        }
        addNextSteps(to: &page)
        addSeen(to: &page)
        addClasses(to: &page)
        addConfusion(to: &page)
        addErrors(to: &page)
        addSureness(to: &page)
        addDataFaults(to: &page)
        addShortcuts(to: &page)
        addDrift(to: &page)
        addMoreData(to: &page)
        addPlaces(to: &page)
        addProvenance(to: &page)
        return page.document
    }

    /// Writes ``html``; the file is there whole or not at all.
    ///
    /// - Throws: `GraftError` with code `file` where it cannot be written.
    public func writeHTML(to path: String) throws(GraftError) {
        try AtomicFile.write(Array(html.utf8), to: path)
    }

    /// The answer in three sentences.
    public var answerLines: [String] {
        let range = accuracy.interval
        let right =
            "\(accuracy.successes) of \(accuracy.count) images are recognised: \(percent(accuracy.value)), and between \(percent(range.lowerBound)) and \(percent(range.upperBound)) of images like these (95 % interval)."
        return [right, hardestLine, surenessLine] + (drift.map { [driftLine($0)] } ?? [])
    }

    private var hardestLine: String {
        let measured = classes.filter { $0.count > 0 }
        guard
            let worst = measured.min(by: {
                Proportion($0.correct, of: $0.count).value < Proportion($1.correct, of: $1.count).value
            })
        else { return "No class has an image." }
        guard worst.correct < worst.count else { return "All classes are recognised in all their images." }
        let most = confusion.topConfusions(names: classNames).first
        return "Hardest is \(worst.name), of which \(worst.correct) of \(worst.count) are recognised"
            + (most.map {
                "; the most frequent mistake is \($0.name) taken for \($0.predicted), \($0.count) time\($0.count == 1 ? "" : "s")."
            } ?? ".")
    }

    private var surenessLine: String {
        let nine = sureness.thresholds.first { $0.confidence == 0.9 }
        let temperature = sureness.temperature.value
        let word =
            temperature > 1.1
            ? "surer than it should be" : temperature < 0.9 ? "less sure than it could be" : "as sure as it should be"
        guard let nine, nine.accuracy.count > 0 else { return "It is \(word); no answer is given with 90 % or more." }
        return
            "It is \(word); answers that are 90 % sure after calibration, \(percent(Proportion(nine.accuracy.count, of: answers.count).value)) of all, are right in \(percent(nine.accuracy.value)) of the cases."
    }

    // MARK: Sections

    private func addNextSteps(to page: inout HTMLPage) {
        page.section("What to do next", id: "next")
        let steps = nextSteps
        if steps.isEmpty {
            page.paragraph(
                "Nothing stands out: no label is suspected, no property of the files gives a class away, and no slice does worse."
            )
        } else {
            page.list(steps, numbered: true)
        }
    }

    /// What would help, what helps most first.
    public var nextSteps: [String] {
        var steps: [String] = []
        let leaks = findings.count { $0.kind == .leak }
        if leaks > 0 {
            steps.append(
                "Take \(leaks) image\(leaks == 1 ? "" : "s") out of one of the parts: the same image is in several, so that the accuracy above is too high."
            )
        }
        if let first = shortcuts.first {
            steps.append(
                "Look at \(first.property.title): it tells \(first.className) from the rest by itself (area under the curve \(hundredths(first.areaUnderCurve))). Images from elsewhere, where it does not, will be recognised less well."
            )
        }
        if !suspects.isEmpty {
            steps.append(
                "Look through \(suspects.count) label\(suspects.count == 1 ? "" : "s") that may be wrong; usually about half of such are right as they are."
            )
        }
        if let gain = gainOfDoubling, gain >= 0.005 {
            steps.append(
                "Collect more images: twice as many would win about \(percent(gain)) points, as far as the learning curve tells."
                    .replacing(" % points", with: " points"))
        }
        let worse = slices.filter(\.isWorse).sorted { $0.accuracy.value < $1.accuracy.value }
        for slice in worse.prefix(2) {
            steps.append("Add images like these: \(slice.name), where \(percent(slice.accuracy.value)) are recognised.")
        }
        return steps
    }

    /// What twice as many images would win, by the fit.
    private var gainOfDoubling: Double? {
        guard let curve = sampleSizes, let last = curve.points.last else { return nil }
        return curve.error(count: last.count) - curve.error(count: 2 * last.count)
    }

    private func addSeen(to page: inout HTMLPage) {
        page.section("What the network sees", id: "seen")
        page.paragraph(
            "Each image in the network's own size and proportion. Orange marks what spoke for the class that it named; such maps hint at where it looked and prove nothing."
        )
        gallery(ReportSelection.seen(answers, classCount: classNames.count), in: &page)
    }

    private func addClasses(to page: inout HTMLPage) {
        page.section("Each class", id: "classes")
        let rows = classes.map { metrics -> [String] in
            let recall = Proportion(metrics.correct, of: metrics.count)
            let precision = Proportion(metrics.correct, of: metrics.predicted)
            return [
                metrics.name, "\(metrics.count)", percent(recall.value),
                "\(percent(recall.interval.lowerBound)) – \(percent(recall.interval.upperBound))",
                percent(precision.value), metrics.f1.map(hundredths) ?? "–",
            ]
        }
        page.table(
            "Recall: of the images of a class, how many are recognised, with its 95 % interval. Precision: of those that were called so, how many are.",
            ["Class", "Images", "Recall", "Interval", "Precision", "F1"], rows)
    }

    private static let wholeMatrixLimit = 24

    private func addConfusion(to page: inout HTMLPage) {
        page.section("What is taken for what", id: "confusion")
        let confusions = confusion.topConfusions(names: classNames)
        if classNames.count <= Self.wholeMatrixLimit {
            let counts = confusion.counts
            let rows = counts.indices.map { row in [classNames[row]] + counts[row].map(String.init) }
            let marks = counts.map { row in
                let sum = Double(max(row.reduce(0, +), 1))
                return [0] + row.map { 0.6 * Double($0) / sum }
            }
            page.table("A row a class, a column what it was taken for.", ["Class"] + classNames, rows, marked: marks)
        } else {
            page.table(
                "The most frequent mistakes of \(classNames.count) classes.", ["Class", "Taken for", "Times"],
                confusions.prefix(30).map { [$0.name, $0.predicted, "\($0.count)"] })
        }
        let cells = Dictionary(grouping: errors) { [$0.label, $0.predicted] }
        for confusion in confusions.prefix(ReportSelection.cellCount) {
            let wrong = cells.first {
                classNames[$0.key[0]] == confusion.name && classNames[$0.key[1]] == confusion.predicted
            }
            guard let answers = wrong?.value else { continue }
            page.details("\(confusion.name) taken for \(confusion.predicted): \(confusion.count)") { page in
                page.gallery(
                    answers.prefix(ReportSelection.cellImageCount).compactMap { answer in
                        pictures.plain[answer.path].map { ($0, alternative(answer), caption(answer)) }
                    })
            }
        }
    }

    private func addErrors(to page: inout HTMLPage) {
        page.section("The surest mistakes, and the least sure answers", id: "errors")
        if errors.isEmpty {
            page.paragraph("There is no mistake.")
        } else {
            page.heading("Wrong, and sure of it")
            gallery(Array(errors.prefix(ReportSelection.errorCount)), in: &page)
        }
        page.heading("Least sure")
        gallery(Array(leastSure.prefix(ReportSelection.unsureCount)), in: &page)
    }

    private func addSureness(to page: inout HTMLPage) {
        page.section("How sure it is", id: "sureness")
        page.paragraph(
            "Expected calibration error on images that nothing was fitted to: \(percent(sureness.heldOutErrors.before)) as the model is, \(percent(sureness.heldOutErrors.after)) with a temperature of \(hundredths(sureness.temperature.value))."
        )
        var plot = SquarePlot(
            title: "Reliability", axes: ("what the model gave", "share that is right"), hasDiagonal: true)
        let bins = sureness.measured.bins.filter { $0.count > 0 }
        plot.groups = [
            SquarePlot.Group(
                name: "as it is",
                points: bins.map {
                    (
                        $0.confidence, $0.accuracy,
                        min(max(Double($0.count) / Double(max(answers.count, 1)) * 12, 0.6), 6)
                    )
                })
        ]
        page.drawing(
            plot.svg,
            alternative:
                "Reliability diagram: the share of right answers against the confidence; on the diagonal both are equal."
        )
        page.table(
            "Leaving to people what the model is less sure of, after calibration.",
            ["At least", "Answered", "Left to people", "Right of those answered"],
            sureness.thresholds.map { threshold in
                [
                    percent(threshold.confidence), "\(threshold.accuracy.count)",
                    percent(1 - Proportion(threshold.accuracy.count, of: answers.count).value),
                    threshold.accuracy.count > 0 ? percent(threshold.accuracy.value) : "–",
                ]
            })
        page.paragraph(
            "Sets of classes that should hold the right one in 90 % of cases held it in \(percent(sureness.sets.coverage)), with \(hundredths(sureness.sets.size)) classes on average (graft predict --coverage 0.9)."
        )
    }

    private func addDataFaults(to page: inout HTMLPage) {
        page.section("What may be wrong with the images", id: "data")
        page.heading("Labels")
        if suspects.isEmpty {
            page.paragraph(
                suspectedCount == 0
                    ? "There are too few images to doubt a label." : "None of \(suspectedCount) labels is suspected.")
        } else {
            page.paragraph(
                "\(suspects.count) of \(suspectedCount) labels are suspected by confident learning: linear models on the network's features that had not seen an image say otherwise. About half of what is flagged so is usually right as it is: look before you change a label."
            )
            page.gallery(
                suspects.prefix(ReportSelection.suspectCount).compactMap { suspect in
                    pictures.plain[suspect.path].map {
                        (
                            $0, "Image labelled \(suspect.label)",
                            "\(shortName(suspect.path)): labelled \(suspect.label) (\(percent(suspect.given))), perhaps \(suspect.suggestion) (\(percent(suspect.suggested)))"
                        )
                    }
                })
        }
        page.heading("Files")
        if findings.isEmpty {
            page.paragraph("Nothing that harms was found, or no audit was made.")
        }
        for (kind, count) in ImageFinding.Kind.allCases.map({ kind in (kind, findings.count { $0.kind == kind }) })
        where count > 0 {
            let same = findings.filter { $0.kind == kind }
            page.details("\(kind.title): \(count)") { page in
                page.list(
                    same.prefix(20).map { "\($0.paths.prefix(3).map(shortName).joined(separator: ", ")): \($0.detail)" }
                )
                page.gallery(
                    same.prefix(6).flatMap { finding in
                        finding.paths.prefix(2).compactMap { path in
                            pictures.plain[path].map { ($0, shortName(path), shortName(path)) }
                        }
                    })
            }
        }
        if !failures.isEmpty { page.list(failures.prefix(20).map { "\(shortName($0.path)): \($0.message)" }) }
    }

    private func addShortcuts(to page: inout HTMLPage) {
        page.section("Shortcuts and slices", id: "shortcuts")
        if shortcuts.isEmpty {
            page.paragraph("No property of the files or of their colours tells a class from the others by itself.")
        } else {
            page.table(
                "Properties that tell a class from the others without a look at what is shown. Area under the curve: 0.5 is chance, 1 gives it away.",
                ["Class", "Property", "Area", "Median", "Median of the others"],
                shortcuts.prefix(20).map {
                    [
                        $0.className, $0.property.title, hundredths($0.areaUnderCurve), hundredths($0.medians.own),
                        hundredths($0.medians.others),
                    ]
                })
        }
        if !slices.isEmpty {
            page.details("Accuracy of images that are alike") { page in
                page.table(
                    "Thirds of the images by a property; marked where the model does worse than chance explains.",
                    ["Images", "Count", "Recognised", "Interval", ""],
                    slices.map {
                        [
                            $0.name, "\($0.accuracy.count)", percent($0.accuracy.value),
                            "\(percent($0.accuracy.interval.lowerBound)) – \(percent($0.accuracy.interval.upperBound))",
                            $0.isWorse ? "worse" : "",
                        ]
                    })
            }
        }
    }

    private func addMoreData(to page: inout HTMLPage) {
        page.section("Would more images help?", id: "more")
        guard let curve = sampleSizes, let last = curve.points.last else {
            page.paragraph("There are too few images besides those that the answer rests on to tell.")
            return
        }
        let counts = curve.points.map(\.count) + [2, 4, 10].map { $0 * last.count }
        page.drawing(
            Chart(
                title: "Error of a linear model on the network's features",
                panels: [
                    Chart.Panel(
                        title: "error",
                        series: [
                            Chart.Series(
                                name: "measured", role: .validation,
                                points: curve.points.map { Chart.Point(x: Double($0.count), y: $0.error) }),
                            Chart.Series(
                                name: "fitted", role: .training,
                                points: counts.map { Chart.Point(x: Double($0), y: curve.error(count: $0)) }),
                        ], horizontal: Chart.Axis(title: "images learned from", scale: .logarithmic))
                ]
            ).svg, alternative: "Error against the number of images, measured and extrapolated.")
        page.table(
            "Measured up to \(last.count) images, extrapolated beyond by error = a + b · n^−c. A rough guide: it says nothing of images of another kind.",
            ["Images", "Error", ""],
            counts.enumerated().map { number, count in
                let measured = number < curve.points.count
                return [
                    "\(count)", percent(measured ? curve.points[number].error : curve.error(count: count)),
                    measured ? "measured" : "extrapolated",
                ]
            })
    }

    private func addPlaces(to page: inout HTMLPage) {
        page.section("Map of the images", id: "map")
        page.paragraph(
            "The network's features along the two directions in which the images differ most (principal components, \(percent(placesShare)) of the variance). Classes that lie apart are easy; what lies among another class is worth a look."
        )
        var plot = SquarePlot(title: "Features of the images")
        plot.groups = classNames.indices.map { label in
            SquarePlot.Group(
                name: classNames[label],
                points: places.filter { $0.label == label }.map { ($0.x, $0.y, 1) })
        }
        page.drawing(plot.svg, alternative: "Scatter plot of the images' features, a colour a class.")
    }

    private func addProvenance(to page: inout HTMLPage) {
        page.section("How this was made", id: "provenance")
        page.table(
            "Made by Graft, which is free under the Apache License 2.0.", ["", ""],
            provenance.map { [$0.name, $0.value] })
    }

    // MARK: Words

    func gallery(_ answers: [Answer], in page: inout HTMLPage) {
        page.gallery(
            answers.compactMap { answer in
                (pictures.explained[answer.path] ?? pictures.plain[answer.path]).map {
                    ($0, alternative(answer), caption(answer))
                }
            })
    }

    private func alternative(_ answer: Answer) -> String { "Image labelled \(classNames[answer.label])" }

    private func caption(_ answer: Answer) -> String {
        let said = "\(classNames[answer.predicted]) \(percent(answer.confidence))"
        return "\(shortName(answer.path)): \(said)" + (answer.isRight ? "" : ", labelled \(classNames[answer.label])")
    }

    /// The file with its folder.
    func shortName(_ path: String) -> String { path.split(separator: "/").suffix(2).joined(separator: "/") }

    func percent(_ share: Double) -> String {
        let tenths = (share * 1000).rounded() / 10
        return "\(tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)") %"
    }

    func hundredths(_ value: Double) -> String {
        guard abs(value) < 1e9 else { return "\(value)" }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
