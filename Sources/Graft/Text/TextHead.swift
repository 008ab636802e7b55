import GraftData
import GraftLearning
import GraftModel
import GraftText
import GraftTraining

/// A linear layer on features of texts, with the penalty that does best on texts that were held out.
///
/// Features are brought to a common scale first, as ``Head/Part/centered`` has it: less their mean, of one length. Softmax regression
/// for classes, a logistic one for each of several labels, least squares for numbers, each with a penalty on the squares of the
/// weights.
struct TextHead {
    /// The factor of the squares, times the number of texts.
    let penalty: Double
    /// How it did on texts that were held out, as ``TextHeadReport/heldOut``.
    let heldOut: Double?
    let seconds: Double
    private let mean: [Float]
    /// (width, outputs) and (outputs).
    private let weights: [Tensor]
    /// The mean and the deviation of each number, for a regression.
    private let scale: (means: [Double], deviations: [Double])?

    /// Penalties that are tried, as parts of the number of features: from strong to weak.
    private static let penalties = [0.3, 0.1, 0.03, 0.01, 0.003]
    private static let head: Head = [.centered]
    private static let outputName = "answers"

    /// Learns a head.
    ///
    /// - Parameter penalty: the penalty, where nothing is to be tried.
    init(
        _ rows: [Float], width: Int, _ texts: LabelledTexts, penalty: Double?, seed: UInt64, options: TrainingOptions
    ) throws {
        let clock = Stopwatch()
        let count = texts.training.count
        (mean, scale) = (
            Self.mean(rows, width), texts.task == .regression ? Self.scale(of: texts.training.values) : nil
        )
        let features = Self.centered(rows, width, mean)
        let problem = LinearProblem(
            features: Tensor(features, shape: [count, width]), targets: Self.targets(texts, scale),
            task: texts.task, outputs: Self.outputCount(texts), seed: seed, options: options)
        let all = Array(0..<count)
        if let penalty {
            (self.penalty, heldOut) = (penalty, nil)
            weights = try problem.fit(penalty: penalty, on: all)
        } else {
            let best = try problem.best(of: Self.penalties.map { $0 * Double(width) }, Self.folds(texts))
            (self.penalty, heldOut) = (best.penalty, best.heldOut)
            weights = try problem.fit(penalty: best.penalty, on: all, from: best.weights)
        }
        seconds = clock.seconds
    }

    /// What the head makes of features, in a model.
    func output(of features: SymbolicTensor, task: LearningTask) throws(GraftError) -> SymbolicTensor {
        let outputs = weights[1].count
        let hidden = try Self.head(features)
        let answers = Dense(
            outputs, activation: task.activation(outputs: outputs == 1 ? 2 : outputs), name: Self.outputName)
        let output = try answers(hidden)
        guard let scale else { return output }
        return try Rescaling(
            scale: .channels(scale.deviations), offset: .channels(scale.means), name: "target_scale")(output)
    }

    /// Gives the layers of a model, which ``output(of:task:)`` made, what was learned.
    func setWeights(of model: Model) throws(GraftError) {
        let width = mean.count
        try model.layer(named: Head.centeringName).setWeights([
            Tensor(mean, shape: [width]), Tensor(repeating: 1, shape: [width]), Tensor([0], shape: []),
        ])
        try model.layer(named: Self.outputName).setWeights(weights)
    }

    // MARK: Features and targets

    private static func mean(_ rows: [Float], _ width: Int) -> [Float] {
        var sums = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: rows.count, by: width) {
            for place in 0..<width { sums[place] += Double(rows[start + place]) }
        }
        let count = Double(max(rows.count / width, 1))
        return sums.map { Float($0 / count) }
    }

    /// What the layers of ``Head/Part/centered`` make of rows.
    private static func centered(_ rows: [Float], _ width: Int, _ mean: [Float]) -> [Float] {
        var result = rows
        for start in stride(from: 0, to: rows.count, by: width) {
            var square: Float = 0
            for place in 0..<width {
                let value = rows[start + place] - mean[place]
                result[start + place] = value
                square += value * value
            }
            let factor = Float(width).squareRoot() / max(square.squareRoot(), 1e-12)
            for place in 0..<width { result[start + place] *= factor }
        }
        return result
    }

    private static func outputCount(_ texts: LabelledTexts) -> Int {
        texts.task == .regression ? texts.training.targetWidth : texts.task.outputCount(classNames: texts.classNames)
    }

    private static func scale(of values: [[Float]]) -> (means: [Double], deviations: [Double]) {
        let count = Double(values.count)
        let width = values.first?.count ?? 0
        let means = (0..<width).map { place in values.reduce(0) { $0 + Double($1[place]) } / count }
        let deviations = means.enumerated().map { place, mean in
            (values.reduce(0) { $0 + (Double($1[place]) - mean) * (Double($1[place]) - mean) } / count).squareRoot()
        }
        return (means, deviations.map { $0 > 0 ? $0 : 1 })
    }

    private static func targets(_ texts: LabelledTexts, _ scale: (means: [Double], deviations: [Double])?) -> Tensor {
        let training = texts.training
        guard texts.task != .classes else {
            return Tensor(training.labels.map(Float.init), shape: [training.count])
        }
        let rows = training.values.flatMap { row in
            guard let scale else { return row }
            return row.enumerated().map { Float((Double($1) - scale.means[$0]) / scale.deviations[$0]) }
        }
        return Tensor(rows, shape: [training.count, training.targetWidth])
    }

    /// The fold of each text, 0 to 4, in turn through each class.
    private static func folds(_ texts: LabelledTexts) -> [Int] {
        var next: [Int: Int] = [:]
        return (0..<texts.training.count).map { place in
            let label = texts.task == .classes ? texts.training.labels[place] : 0
            defer { next[label, default: label] += 1 }
            return next[label, default: label] % 5
        }
    }
}
