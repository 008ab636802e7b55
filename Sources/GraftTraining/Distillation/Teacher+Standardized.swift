import GraftData
import GraftGraph
import GraftLearning
import GraftModel

extension Teacher {
    /// A teacher of features that are standardized: from each the mean is subtracted, and it is divided by its standard
    /// deviation, both taken over some examples.
    ///
    /// Features after a relu share a large mean, next to which what tells images apart is small; standardized, each of them
    /// counts alike.
    ///
    /// - Parameters:
    ///   - model: as in ``init(_:lesson:input:)``.
    ///   - examples: what the statistics are taken over.
    ///   - count: how many of them, the first ones; all where there are fewer. Where examples are class by class, give a
    ///     dataset of some of each.
    ///   - lesson: what the student learns of it.
    ///   - input: which of an example's inputs it sees.
    ///   - batchSize: examples at a time.
    ///   - options: threads and precision, a flag to stop.
    ///   - progress: called after each batch.
    /// - Throws: `GraftError` with code `data` where none of the examples can be read, `argument` where `count` or `batchSize`
    ///   is not at least 1, `cancelled` where somebody asked to stop, and what ``init(_:lesson:input:)`` throws.
    public static func features(
        of model: Model, standardizedOn examples: any Dataset, count: Int = 2000, lesson: Lesson = .features(),
        input: Int = 0, batchSize: Int = 32, options: TrainingOptions = TrainingOptions(),
        progress: ((Progress) -> Void)? = nil
    ) throws -> Teacher {
        try requirePositive(count, "count")
        try requirePositive(batchSize, "batchSize")
        let clock = Stopwatch()
        let plain = try Teacher(model, lesson: lesson, input: input)
        var statistics = FeatureStatistics(width: plain.width)
        let total = min(count, examples.count)
        for start in stride(from: 0, to: total, by: batchSize) {
            try options.checkCancellation()
            let end = min(start + batchSize, total)
            let batch = try examples.batch(Array(start..<end))
            if !batch.indices.isEmpty {
                statistics.add(try plain.answers(to: batch.inputs, batchSize: batchSize, options))
            }
            progress?(Progress(done: end, total: total, elapsed: clock.seconds))
        }
        guard statistics.count > 0 else {
            throw GraftError(
                .data,
                "none of the first \(total) examples can be read; the teacher's features cannot be standardized")
        }
        let normalization = Normalization(
            mean: .channels(statistics.means), variance: .channels(statistics.variances(atLeast: 1e-6)))
        let output = try normalization(plain.model.output)
        return try Teacher(
            Model(inputs: model.inputs, outputs: [output], name: model.name), lesson: lesson, input: input)
    }
}
