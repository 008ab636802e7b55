import GraftData
import GraftGraph
import GraftLearning
import GraftModel
import GraftTraining

/// A linear classifier on features: what can be asked of features in seconds.
///
/// Features are standardized by those that are learned from; softmax regression with a penalty on the squares of its weights.
struct LinearProbe {
    let features: Tensor
    let labels: [Int]
    let classCount: Int
    let options: TrainingOptions

    /// Steps are what it takes, however few examples there are.
    private static let (batchSize, stepCount) = (32, 600)
    private static let penalty: Float = 1e-3

    /// What the classes of each example are given by a probe that learned from the examples of other folds.
    ///
    /// - Parameters:
    ///   - folds: each example's; examples of one fold are judged by those of the others.
    ///   - count: how many folds.
    func outOfFold(_ folds: [Int], count: Int) throws -> ClassProbabilities {
        var rows = [[Double]](repeating: [], count: labels.count)
        for fold in 0..<count {
            let held = labels.indices.filter { folds[$0] == fold }
            guard !held.isEmpty else { continue }
            let learned = try probabilities(
                of: features.rows(held), learningFrom: labels.indices.filter { folds[$0] != fold })
            for (position, row) in held.enumerated() { rows[row] = Array(learned[position]) }
        }
        var result = ClassProbabilities(classCount: classCount)
        for row in rows { result.append(outputs: row) }
        return result
    }

    /// What the classes of other features are given by a probe that learned from some of the examples.
    func probabilities(of others: Tensor, learningFrom rows: [Int]) throws -> ClassProbabilities {
        let learned = features.rows(rows)
        let scale = Standardization(of: learned)
        let input = Input(shape: [features.shape.last])
        let output = try Dense(classCount, activation: .softmax, kernelRegularizer: .l2(Self.penalty))(input)
        let model = try Model(inputs: input, outputs: output)
        try model.compile(optimizer: Adam(learningRate: 0.003), loss: .sparseCategoricalCrossentropy)
        let targets = Tensor(rows.map { Float(labels[$0]) }, shape: [rows.count])
        let steps = (rows.count + Self.batchSize - 1) / Self.batchSize
        var options = options
        options.features = .off
        try model.fit(
            ArrayDataset(inputs: scale(learned), targets: targets), batchSize: min(Self.batchSize, rows.count),
            epochs: max(Self.stepCount / max(steps, 1), 5), options: options)
        let outputs = try model.predict(scale(others), options: options)
        var result = ClassProbabilities(classCount: classCount)
        outputs.withUnsafeBuffer { values in
            for row in 0..<others.shape[0] {
                result.append(outputs: values[(row * classCount)..<((row + 1) * classCount)].map(Double.init))
            }
        }
        return result
    }
}
