import ArgumentParser
import Foundation
import Graft

/// `graft report`
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a model is worth, and why, on one page.",
        discussion: """
            IMAGES holds one folder a class, named like the model's classes. The answer rests on the images that the model did \
            not learn from: the test or validation part, or those that the model remembers. The page says how good the model \
            is, what it takes for what, where it looked, how sure it is, which labels may be wrong, which properties of the files \
            give a class away, and whether more images would help. It is one file: open it, send it, print it.

            --compare looks at new images, which need no labels, and says whether they still look like those.

            Examples:
              graft report cats-and-dogs.keras photos --output report.html
              graft report cats-and-dogs.keras photos --compare this-week
            """)

    @Argument(help: "A model that graft or Keras wrote.", completion: .file(extensions: ["keras"]))
    var model: String

    @Argument(help: "The folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var images: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the page goes. (default: MODEL.report.html)", valueName: "file.html"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "The layer whose map says where the model looked; the last with several positions if not given.",
            valueName: "name"))
    var layer: String?

    @Option(
        help: ArgumentHelp(
            "New images without labels, at least \(Drift.leastCount): a folder, a table, or - for a list of files on standard input.",
            valueName: "images"), completion: .file())
    var compare: [String] = []

    @Flag(
        help:
            "Write into the model how sure its answers are and what they are unlike, so that predict says so; graft train does it by itself."
    )
    var keep = false

    @Flag(help: "Do not look for damaged, repeated and leaked files, which takes a decoding of each image.")
    var noAudit = false

    @OptionGroup(title: "Model") var options: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        if let output {
            try require(output.hasSuffix(".html"), "--output", "'\(output)'", "a name that ends in .html")
        }
    }

    private var page: String { output ?? (model as NSString).deletingPathExtension + ".report.html" }

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            try OutputFile.check(page)
            let start = ContinuousClock.now
            let classifier = try Classifier(model, options, machine)
            classifier.tellOutputs(on: console)
            let assessed = try AssessedImages(images, for: classifier, threads: machine.threads)
            let report = try assess(classifier, assessed, on: console)
            try report.writeHTML(to: page)
            for line in report.answerLines { console.say(line) }
            console.list(report.nextSteps, title: "to do next", most: 10)
            console.say("wrote \(page) in \(start.secondsAgo.asDuration)")
            if keep { try calibrate(classifier, assessed, on: console) }
            ReportObject(report, page: page).emit(on: console)
        }
    }

    private func calibrate(_ classifier: Classifier, _ assessed: AssessedImages, on console: Console) throws {
        guard let known = assessed.known, assessed.isHeldBack else {
            throw GraftError(
                .data,
                "--keep: it takes images that the model learned from and others that it did not; \(images) is not divided and the model does not remember which were held back"
            )
        }
        guard try classifier.calibrate(on: assessed.judged, training: known) != nil else {
            throw GraftError(
                .data,
                "--keep: \(assessed.judged.count.of("image")) are too few; it takes \(ClassifierCalibration.leastCount) that the model did not learn from"
            )
        }
        try classifier.save(model)
        console.say("wrote into \(model) how sure its answers are")
    }

    private func assess(
        _ classifier: Classifier, _ assessed: AssessedImages, on console: Console
    ) throws -> ModelReport {
        console.list(assessed.problems.map(\.description), title: "left out")
        console.say("the answer rests on \(assessed.note)")
        var wanted = ModelReport.Options()
        wanted.isHeldBack = assessed.isHeldBack
        wanted.layer = layer
        wanted.provenance = [
            ("command", (["graft"] + CommandLine.arguments.dropFirst()).joined(separator: " ")),
            ("version", GraftCommand.configuration.version), ("model", model),
        ]
        if !noAudit { wanted.audit = try AuditReport.audit(images, threads: machine.threads, on: console) }
        if !compare.isEmpty {
            let named = try ImagePaths(compare, rule: classifier.rule)
            console.list(named.problems.map(\.problem.description), title: "left out of the new images")
            wanted.newImages = try ImageFiles(paths: named.paths, rule: classifier.rule, threads: machine.threads)
        }
        let progress = console
        wanted.progress = { activity, done, count in
            progress.progress("\(activity) \(done)/\(count)")
        }
        defer { console.closeProgressLine() }
        return try ModelReport(of: classifier, on: assessed.judged, knowing: assessed.known, options: wanted)
    }
}

/// A report for programs.
struct ReportObject {
    private let report: ModelReport
    private let page: String

    init(_ report: ModelReport, page: String) { (self.report, self.page) = (report, page) }

    /// One object a doubtful label, wrong answer and shortcut, and one that sums up.
    func emit(on console: Console) {
        Self.emit(report.suspects, on: console)
        for error in report.errors {
            var object = JSONObject(event: "mistake")
            object.add("path", .string(error.path))
            object.add("label", .string(report.classNames[error.label]))
            object.add("predicted", .string(report.classNames[error.predicted]))
            object.add("confidence", .number(error.confidence))
            console.emit(object)
        }
        for shortcut in report.shortcuts {
            var object = JSONObject(event: "shortcut")
            object.add("property", .string(shortcut.property.rawValue))
            object.add("class", .string(shortcut.className))
            object.add("auc", .number(shortcut.areaUnderCurve))
            object.add("median", .number(shortcut.medians.own))
            object.add("median_of_others", .number(shortcut.medians.others))
            console.emit(object)
        }
        for slice in report.slices {
            var object = JSONObject(event: "slice")
            object.add("name", .string(slice.name))
            object.add("images", .int(slice.accuracy.count))
            object.add("accuracy", .number(slice.accuracy.value))
            object.add("worse", .bool(slice.isWorse))
            console.emit(object)
        }
        if let drift = report.drift { emit(drift, on: console) }
        console.emit(summary)
    }

    private func emit(_ drift: Drift, on console: Console) {
        for measure in drift.measures {
            var object = JSONObject(event: "comparison")
            object.add("name", .string(measure.name))
            object.add("probability", .number(measure.probability))
            object.add("auc", .number(measure.areaUnderCurve))
            object.add("median", .number(measure.medians.old))
            object.add("median_of_new", .number(measure.medians.new))
            console.emit(object)
        }
        var object = JSONObject(event: "drift")
        object.add("found", .bool(drift.isFound))
        object.add("changes", .strings(drift.changes.map(\.name)))
        object.add("level", .number(Drift.level))
        object.add("images", .int(drift.counts.old))
        object.add("new_images", .int(drift.counts.new))
        object.add("unlike_training", drift.unlike.map { .number($0.old.value) } ?? .null)
        object.add("new_unlike_training", drift.unlike.map { .number($0.new.value) } ?? .null)
        object.add("strangest", .strings(drift.strangest))
        object.add("left_out", .strings(drift.failures.map(\.path)))
        console.emit(object)
    }

    /// One object a label that may be wrong.
    static func emit(_ suspects: [ModelReport.Suspect], on console: Console) {
        for suspect in suspects {
            var object = JSONObject(event: "suspect")
            object.add("path", .string(suspect.path))
            object.add("label", .string(suspect.label))
            object.add("suggestion", .string(suspect.suggestion))
            object.add("given", .number(suspect.given))
            object.add("suggested", .number(suspect.suggested))
            object.add("suspected", .bool(suspect.isSuspected))
            console.emit(object)
        }
    }

    private var summary: JSONObject {
        var object = JSONObject(event: "report")
        object.add("page", .string(page))
        object.add("images", .int(report.accuracy.count))
        object.add("held_back", .bool(report.isHeldBack))
        object.add("accuracy", .number(report.accuracy.value))
        let interval = report.accuracy.interval
        object.add("interval", .numbers([interval.lowerBound, interval.upperBound]))
        object.add("temperature", .number(report.sureness.temperature.value))
        object.add("ece", .number(report.sureness.heldOutErrors.before))
        object.add("ece_calibrated", .number(report.sureness.heldOutErrors.after))
        object.add("coverage", .number(report.sureness.sets.coverage))
        object.add("set_size", .number(report.sureness.sets.size))
        var classes = JSONObject()
        for metrics in report.classes {
            var figures = JSONObject()
            figures.add("images", .int(metrics.count))
            figures.add("recognised", .int(metrics.correct))
            figures.add("predicted", .int(metrics.predicted))
            classes.add(metrics.name, .object(figures))
        }
        object.add("classes", .object(classes))
        if let curve = report.sampleSizes {
            object.add("sample_sizes", .numbers(curve.points.map { Double($0.count) }))
            object.add("sample_errors", .numbers(curve.points.map(\.error)))
            if let last = curve.points.last {
                object.add("error_of_twice", .number(curve.error(count: 2 * last.count)))
            }
        }
        object.add("next", .strings(report.nextSteps))
        object.add("left_out", .strings(report.failures.map(\.path)))
        return object
    }
}
