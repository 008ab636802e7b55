import GraftModel
import GraftText
import GraftTraining

/// What a frozen base makes of texts: one pass, text by text at the shortest length that holds it, kept for later runs.
struct TextFeatures {
    /// (count, width).
    let rows: [Float]
    let width: Int
    /// How many were found in the store.
    let reusedCount: Int
    let seconds: Double

    /// So few texts of a length join those of the next one: a plan costs more than they do.
    private static let fewestTexts = 32

    /// Runs the base over texts.
    ///
    /// - Parameters:
    ///   - tokens: the texts as ids.
    ///   - model: the base up to its features, for a length.
    ///   - emit: told of progress.
    /// - Throws: `GraftError` with code `cancelled` where somebody asked to stop; what was computed is kept.
    init(
        of tokens: TokenizedTexts, options: TrainingOptions, model: (Int) throws -> Model,
        emit: @escaping (TrainingEvent) throws -> Void = { _ in }
    ) throws {
        let examples = TextExamples(texts: [String](repeating: "", count: tokens.ids.count))
        let clock = Stopwatch()
        var (rows, width, reused, done): ([Float], Int, Int, Int) = ([], 0, 0, 0)
        for (dataset, members) in tokens.datasets(of: examples, fewest: Self.fewestTexts) {
            let before = done
            let kept = try model(dataset.length).keptOutputs(of: dataset, options: options) {
                if options.cancellation?.isCancelled == true { throw GraftError(.cancelled, "stopped as asked") }
            } emit: { event in
                guard case .features(let progress) = event else { return }
                try emit(
                    .features(
                        Progress(done: before + progress.done, total: tokens.ids.count, elapsed: clock.seconds)))
            }
            if rows.isEmpty {
                width = kept.widths[0]
                rows = [Float](repeating: 0, count: tokens.ids.count * width)
            }
            for (place, member) in members.enumerated() {
                let source = kept.rows[0][(place * width)..<((place + 1) * width)]
                rows.replaceSubrange((member * width)..<((member + 1) * width), with: source)
            }
            reused += kept.reusedCount
            done += members.count
        }
        (self.rows, self.width, reusedCount, seconds) = (rows, width, reused, clock.seconds)
    }
}

extension TextRecipe {
    /// What the base makes of texts, a row a text: sentence embeddings.
    ///
    /// - Parameters:
    ///   - texts: any texts.
    ///   - isUnit: whether rows are brought to length 1.
    ///   - options: threads, precision, the store of features, a flag to stop.
    ///   - progress: called after each batch.
    /// - Throws: `GraftError` where base and tokenizer do not fit, `data` for a text that the tokenizer cannot take, `cancelled`.
    public func embeddings(
        of texts: [String], isUnit: Bool = false, options: TrainingOptions = TrainingOptions(),
        progress: @escaping (Progress) throws -> Void = { _ in }
    ) throws -> Tensor {
        let tokens = try TokenizedTexts(texts, rule(for: texts), tokenizer)
        let found = try TextFeatures(of: tokens, options: options) { length in
            let (network, features) = try network(length: length)
            return try Model(
                inputs: network.inputs, outputs: isUnit ? UnitNormalization(name: "unit")(features) : features)
        } emit: { event in
            if case .features(let done) = event { try progress(done) }
        }
        return Tensor(found.rows, shape: [texts.count, found.width])
    }
}
