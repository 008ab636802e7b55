import Foundation
import GraftData
import GraftLearning
import GraftModel
import GraftTraining

/// A linear layer to be learned of features that are in memory.
struct LinearProblem {
    /// (count, width), on a common scale.
    let features: Tensor
    let targets: Tensor
    let task: LearningTask
    let outputs: Int
    let seed: UInt64
    let options: TrainingOptions

    /// Rows in a step, and the size of the first step; a cosine leads it to 0.
    private static let (batchSize, rate): (Int, Float) = (256, 0.01)
    /// The steps that a penalty is tried with, each from where the one before led, and those of the last fit.
    private static let (trialSteps, lastSteps) = (300, 600)
    /// With fewer rows all folds are tried, with more one of them.
    private static let fewRows = 1000
    private static let layerName = "answers"

    /// What trying penalties came to.
    struct Choice {
        let penalty: Double
        /// The share of right answers for classes, the loss for others; `nil` where there are too few rows to try.
        let heldOut: Double?
        /// Where the last fit begins: learned with that penalty from some of the rows.
        let weights: [Tensor]?
    }

    /// The layer's kernel and bias.
    ///
    /// - Parameters:
    ///   - penalty: the factor of the squares of the kernel, times the number of rows.
    ///   - start: weights to begin with; zeros where `nil`.
    func fit(penalty: Double, on rows: [Int], from start: [Tensor]? = nil) throws -> [Tensor] {
        try trained(penalty, rows, from: start, steps: Self.lastSteps).layer(named: Self.layerName).weights
    }

    private func trained(_ penalty: Double, _ rows: [Int], from start: [Tensor]?, steps: Int) throws -> Model {
        let input = Input(shape: [features.shape.last])
        let layer = Dense(
            outputs, activation: task.activation(outputs: outputs == 1 ? 2 : outputs), kernelInitializer: .zeros,
            kernelRegularizer: .l2(Float(penalty / Double(rows.count))), name: Self.layerName)
        let model = try Model(inputs: input, outputs: layer(input), seed: seed)
        if let start { try layer.setWeights(start) }
        let batch = min(Self.batchSize, rows.count)
        let stepsOfAnEpoch = (rows.count + batch - 1) / batch
        let epochs = max(steps / stepsOfAnEpoch, 1)
        try model.compile(
            optimizer: Adam(learningRate: .cosineDecay(initial: Self.rate, decaySteps: stepsOfAnEpoch * epochs)),
            loss: task.loss(outputs: outputs), metrics: [])
        try model.fit(
            ArrayDataset(inputs: features.rows(rows), targets: targets.rows(rows)), batchSize: batch, epochs: epochs,
            seed: seed, options: options)
        return model
    }

    /// The strongest penalty that does as well as any on rows that were not learned from: whose mean loss is within a standard error
    /// of the smallest one.
    ///
    /// Penalties are tried from the strongest on, each from the weights of the one before, until the loss rises. Sources: Hastie,
    /// Tibshirani and Friedman, "The Elements of Statistical Learning", 7.10, for the rule; Friedman, Hastie and Tibshirani,
    /// "Regularization paths for generalized linear models via coordinate descent", 2010, for the path.
    func best(of penalties: [Double], _ folds: [Int]) throws -> Choice {
        let used = (folds.count < Self.fewRows ? Array(0..<5) : [0]).filter { fold in folds.contains(fold) }
        guard folds.count >= 10, used.allSatisfy({ fold in folds.contains { $0 != fold } }) else {
            return Choice(penalty: penalties[penalties.count / 2], heldOut: nil, weights: nil)
        }
        var weights = [[Tensor]?](repeating: nil, count: used.count)
        var tried: [(choice: Choice, losses: [Double])] = []
        for penalty in penalties {
            var (losses, right) = ([Double](), 0)
            for (place, fold) in used.enumerated() {
                let held = folds.indices.filter { folds[$0] == fold }
                let model = try trained(
                    penalty, folds.indices.filter { folds[$0] != fold }, from: weights[place], steps: Self.trialSteps)
                weights[place] = try model.layer(named: Self.layerName).weights
                let judged = LinearJudge(
                    outputs: try model.predict(features.rows(held), options: options), targets: targets.rows(held),
                    task: task)
                losses += judged.losses
                right += judged.rightCount
            }
            let loss = losses.mean
            if let last = tried.last, loss > last.losses.mean { break }
            let heldOut = task == .classes ? Double(right) / Double(losses.count) : loss
            tried.append((Choice(penalty: penalty, heldOut: heldOut, weights: weights[0]), losses))
        }
        guard let best = tried.last else { return Choice(penalty: penalties[0], heldOut: nil, weights: nil) }
        let limit = best.losses.mean + best.losses.standardError
        return tried.first { $0.losses.mean <= limit }?.choice ?? best.choice
    }
}

/// What answers are worth, example by example.
private struct LinearJudge {
    /// Cross-entropy of classes and labels, the squared error of numbers.
    private(set) var losses: [Double] = []
    /// How many classes are named right.
    private(set) var rightCount = 0

    init(outputs: Tensor, targets: Tensor, task: LearningTask) {
        let width = outputs.shape.last
        outputs.withUnsafeBuffer { outputs in
            targets.withUnsafeBuffer { targets in
                for row in 0..<(outputs.count / width) {
                    let answer = outputs[(row * width)..<((row + 1) * width)].map(Double.init)
                    if task == .classes {
                        add(answer, of: Int(targets[row]))
                    } else {
                        add(answer, targets[(row * width)..<((row + 1) * width)].map(Double.init), task)
                    }
                }
            }
        }
    }

    private mutating func add(_ answer: [Double], of label: Int) {
        let shares = answer.count == 1 ? [1 - answer[0], answer[0]] : answer
        losses.append(-Self.log(shares[label]))
        if shares.indices.allSatisfy({ $0 == label || shares[$0] < shares[label] }) { rightCount += 1 }
    }

    private mutating func add(_ answer: [Double], _ targets: [Double], _ task: LearningTask) {
        let sum = zip(answer, targets).reduce(0) { sum, pair in
            let (value, target) = pair
            guard task == .labels else { return sum + (value - target) * (value - target) }
            return sum - target * Self.log(value) - (1 - target) * Self.log(1 - value)
        }
        losses.append(sum / Double(answer.count))
    }

    /// As losses have it: no share is below 1e-7.
    private static func log(_ share: Double) -> Double { Foundation.log(max(share, 1e-7)) }
}

extension [Double] {
    fileprivate var mean: Double { reduce(0, +) / Double(Swift.max(count, 1)) }

    /// Of the mean.
    fileprivate var standardError: Double {
        let mean = mean
        let square = reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return count > 1 ? (square / Double(count - 1) / Double(count)).squareRoot() : 0
    }
}
