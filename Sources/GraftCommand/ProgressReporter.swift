import Graft

/// Turns what happens during training into lines: one that rewrites itself on a terminal, a line an epoch elsewhere.
final class ProgressReporter {
    /// The epochs that are complete.
    private(set) var epochCount = 0
    /// Whether features were computed in this run.
    private(set) var hasComputedFeatures = false
    private let console: Console
    private var outline: TrainingOutline?
    /// What the epochs belong to, and how many were complete before and will be at the end.
    private var phase: (name: String?, begin: Int, end: Int)?
    private var unreadable: [ExampleFailure] = []
    /// What features are of: images, or views of them.
    private var unit: String
    private let noun: String
    /// The pictures that were listed, which a later phase meets again.
    private var listedPaths: Set<String> = []
    /// Whether somebody was told that no checkpoint can be written.
    private var hasWarned = false

    /// - Parameter noun: what an example is.
    init(console: Console, noun: String = "image") {
        (self.console, self.noun, unit) = (console, noun, noun)
    }

    /// Begins a stretch of training, named where there are several; epochs are counted through all of them.
    func begin(_ name: String?, epochs: Int) { phase = (name, epochCount, epochs) }

    /// Counts epochs that an earlier process did.
    func pass(epochs: Int) { epochCount += epochs }

    func handle(_ event: TrainingEvent) {
        switch event {
        case .began(let outline): self.outline = outline
        case .resumed(let report): showResumed(report)
        case .checkpoint(let report): showCheckpoint(report)
        case .featuresFound(let count): console.say("features of \(count.of(noun)) found from an earlier run")
        case .featuresNeeded(let demand): showNeeded(demand)
        case .features(let progress): showFeatures(progress)
        case .featuresNotKept(let error):
            console.warn("features are not kept, so that the whole network runs at every step: \(error)")
        case .problem(let failure): unreadable.append(failure)
        case .epochBegan: listUnreadable()
        case .step(let report):
            console.progress(
                ProgressLine(label(report.epoch), report.progress, figures: Self.figures(report.figures)))
        case .validation(let epoch, let progress):
            console.progress(ProgressLine("\(label(epoch))  validation", progress))
        case .epoch(let report): showEpoch(report)
        case .ended: listUnreadable()
        }
    }

    /// Lists the pictures that could not be read since the last time.
    func listUnreadable() {
        console.closeProgressLine()
        let new = unreadable.filter { listedPaths.insert($0.path).inserted }
        console.list(new.map(\.description), title: "left out, as they cannot be read")
        unreadable = []
    }

    /// Where an image has several views, the disk that they take is the user's choice.
    private func showNeeded(_ demand: FeatureDemand) {
        guard demand.views > 1 else {
            unit = noun
            return
        }
        unit = "view"
        console.say(
            "\(demand.views) views of each image: features of \(demand.missing.of("view")) to compute, "
                + "\(demand.byteCount.asByteCount) of disk at most (the cache may hold "
                + "\(demand.byteLimit.asByteCount), see --cache-limit)")
        var object = JSONObject(event: "features-needed")
        object.add("views", .int(demand.views))
        object.add("missing", .int(demand.missing))
        object.add("bytes_at_most", .int(demand.byteCount))
        object.add("bytes_kept", .int(demand.keptByteCount))
        object.add("limit", .int(demand.byteLimit))
        console.emit(object)
    }

    private func showFeatures(_ progress: Progress) {
        hasComputedFeatures = true
        guard progress.done == progress.total else {
            return console.progress(ProgressLine("features", progress, unit: unit))
        }
        let computed = progress.total - unreadable.count
        guard computed > 0 else { return console.closeProgressLine() }
        let rate = ProgressLine.rate(of: computed, seconds: progress.elapsed, unit: unit).map { " (\($0))" } ?? ""
        console.say("features of \(computed.of(unit)) computed in \(progress.elapsed.asDuration)\(rate)")
    }

    private func showEpoch(_ report: EpochReport) {
        epochCount = number(report.epoch)
        console.say("\(label(report.epoch))  \(Self.figures(report.figures))  \(report.seconds.asDuration)")
        var object = JSONObject(event: "epoch")
        object.add("epoch", .int(epochCount))
        if let name = phase?.name { object.add("phase", .string(name)) }
        object.add(figures: report.figures)
        object.add("seconds", .number(report.seconds))
        console.emit(object)
    }

    private func showResumed(_ report: ResumeReport) {
        for remark in report.remarks { console.warn(remark) }
        let place = report.step > 0 ? ", behind step \(report.step)" : ""
        console.say("going on from \(report.checkpoint): \(label(report.epoch))\(place)")
        epochCount = number(report.completeEpochs)
        var object = JSONObject(event: "resumed")
        object.add("checkpoint", .string(report.checkpoint))
        object.add("epoch", .int(number(report.epoch)))
        object.add("step", .int(report.step))
        console.emit(object)
    }

    private func showCheckpoint(_ report: CheckpointReport) {
        if let failure = report.failure {
            // Once: the next one will hardly do better.
            if !hasWarned { console.warn("no checkpoint was written, training goes on: \(failure)") }
            hasWarned = true
            return
        }
        var object = JSONObject(event: "checkpoint")
        object.add("checkpoint", .string(report.checkpoint))
        object.add("epoch", .int(number(report.epoch)))
        object.add("step", .int(report.step))
        object.add("bytes", .int(report.byteCount))
        object.add("seconds", .number(report.seconds))
        console.emit(object)
    }

    /// An epoch's number, counted through all phases.
    private func number(_ epoch: Int) -> Int { (phase?.begin ?? 0) + epoch }

    private func label(_ epoch: Int) -> String {
        let prefix = phase?.name.map { "\($0)  " } ?? ""
        return "\(prefix)epoch \(number(epoch))/\(phase?.end ?? outline?.epochs ?? epoch)"
    }

    /// `loss` first, then the metrics, then the same for validation.
    static func ordered(_ figures: [String: Double]) -> [(name: String, value: Double)] {
        func rank(_ key: String) -> (Int, Int, String) {
            (key.hasPrefix("val_") ? 1 : 0, key.hasSuffix("loss") ? 0 : 1, key)
        }
        return figures.sorted { rank($0.key) < rank($1.key) }.map { (name: $0.key, value: $0.value) }
    }

    /// `loss 0.4512  accuracy 0.8100`
    static func figures(_ figures: [String: Double]) -> String {
        ordered(figures).map { "\($0.name) \($0.value.fixed(4))" }.joined(separator: "  ")
    }
}

extension JSONObject {
    /// Adds figures in the order in which they are shown.
    mutating func add(figures: [String: Double], prefix: String = "") {
        for figure in ProgressReporter.ordered(figures) { add(prefix + figure.name, .number(figure.value)) }
    }
}
