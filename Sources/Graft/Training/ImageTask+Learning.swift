import GraftImages
import GraftTraining

/// How each task is learned and measured.
extension ImageTask {
    /// The activation of the output layer.
    ///
    /// - Parameter outputs: how many classes, labels or numbers there are.
    func activation(outputs: Int) -> ActivationFunction {
        switch self {
        case .classes: outputs == 2 ? .sigmoid : .softmax
        case .labels: .sigmoid
        case .regression: .linear
        }
    }

    /// How many outputs a model of these classes or labels has: of two classes the second one's probability says all.
    func outputCount(classNames: [String]) -> Int {
        self == .classes && classNames.count == 2 ? 1 : classNames.count
    }

    /// The loss of a model with so many outputs.
    package func loss(outputs: Int) -> Loss {
        switch self {
        case .classes: .classification(outputs: outputs)
        case .labels: .binaryCrossentropy
        case .regression: .meanSquaredError
        }
    }

    /// What is measured beside the loss.
    package var metrics: [Metric] {
        switch self {
        case .classes: [.accuracy]
        case .labels: [.binaryAccuracy, .f1Score(threshold: 0.5), .averagePrecision]
        case .regression: [.meanAbsoluteError]
        }
    }
}
