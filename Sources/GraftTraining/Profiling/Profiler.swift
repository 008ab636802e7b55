import GraftData
import GraftFeatures
import Synchronization

/// Follows a run and says where its time went: hand it over in ``TrainingOptions``, then ask for the table or the trace.
///
///     var options = TrainingOptions()
///     let profiler = Profiler()
///     options.profiler = profiler
///     try model.fit(photos.training, epochs: 2, options: options)
///     print(profiler.report(limits: try .measured()))
///     try profiler.writeTrace(to: "trace.json")
///
/// It takes two looks at the clock for each step of a plan, and memory for at most ``Timeline/spanLimit`` spans.
public final class Profiler: Sendable {
    /// What was written down so far.
    public let timeline = Timeline()
    private let marks = Mutex(Marks())

    /// Where what is continuing began.
    private struct Marks {
        var training: Double?
        var features: Double?
        var epoch: Double?
        var step: Double?
        var validation: Double?
    }

    /// A profiler whose clock begins now.
    public init() {}

    /// Writes down what `work` takes, as a span on the calling thread.
    public func measure<Result>(_ name: String, category: String = "work", _ work: () throws -> Result) rethrows
        -> Result
    {
        let start = timeline.now
        defer { timeline.add(name, category: category, since: start) }
        return try work()
    }

    // MARK: Following a run

    /// Takes up what `fit` tells its callbacks.
    func handle(_ event: TrainingEvent) {
        let now = timeline.now
        switch event {
        case .began: marks.withLock { ($0.training, $0.features) = (now, now) }
        case .features(let progress) where progress.done == progress.total: end(\.features, "features", "features")
        case .epochBegan: marks.withLock { ($0.epoch, $0.step, $0.features) = (now, now, nil) }
        case .step(let report):
            end(\.step, "step \(report.step)", "step")
            marks.withLock { ($0.step, $0.validation) = (timeline.now, timeline.now) }
        case .validation(_, let progress) where progress.done == progress.total:
            end(\.validation, "validation", "validation")
        case .epoch(let report): end(\.epoch, "epoch \(report.epoch)", "epoch")
        case .ended: end(\.training, "fit", "fit")
        default: break
        }
    }

    /// Ends what began at a mark.
    private func end(_ mark: WritableKeyPath<Marks, Double?> & Sendable, _ name: String, _ category: String) {
        let start = marks.withLock { marks in
            defer { marks[keyPath: mark] = nil }
            return marks[keyPath: mark]
        }
        if let start { timeline.add(name, category: category, since: start) }
    }
}

extension Profiler: ReadProfiler {
    package var now: Double { timeline.now }

    package func addRead(_ activity: String, since start: Double) { timeline.addRead(activity, since: start) }
}
