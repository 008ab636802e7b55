import GraftData
import GraftGraph
import GraftLearning

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a classifier does with the mean over views, and what the views changed.
public struct ViewEvaluation: Sendable {
    /// With views: `loss`, the mean of −log of what the right class was given, and `accuracy`.
    public var figures: [String: Double] { means.figures }
    /// The same for the images alone.
    public var plainFigures: [String: Double] { plain.figures }
    /// How many answers are wrong for the image alone, and right with its views.
    public private(set) var turnedRight = 0
    /// How many answers are right for the image alone, and wrong with its views.
    public private(set) var turnedWrong = 0
    /// How often each class was taken for which, with views.
    public private(set) var confusion = ConfusionMatrix()
    /// How many images took part.
    public var exampleCount: Int { means.count }
    /// The images that could not be read.
    public internal(set) var failures: [ExampleFailure] = []
    /// A line a class, in the order of the class numbers.
    public var classes: [ClassMetrics] { confusion.classMetrics(names: classNames) }
    private let classNames: [String]
    private var (plain, means) = (Sums(), Sums())

    init(classNames: [String]) { self.classNames = classNames }

    private struct Sums {
        var (count, loss, right) = (0, 0.0, 0)
        var figures: [String: Double] {
            let count = Double(max(count, 1))
            return ["loss": loss / count, "accuracy": Double(right) / count]
        }

        /// - Returns: whether the class is the right one.
        mutating func add(_ outputs: [Double], label: Int) -> Bool {
            let probabilities = outputs.count == 1 ? [1 - outputs[0], outputs[0]] : outputs
            let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] }
            count += 1
            // As Keras bounds it.
            loss -= log(min(max(probabilities[label], 1e-7), 1 - 1e-7))
            right += best == label ? 1 : 0
            return best == label
        }
    }

    mutating func add(_ mean: [Double], plain outputs: [Double], label: Int) {
        let (before, after) = (plain.add(outputs, label: label), means.add(mean, label: label))
        if after, !before { turnedRight += 1 }
        if before, !after { turnedWrong += 1 }
        confusion.add(
            Tensor(mean.map(Float.init), shape: [1, mean.count]), Tensor([Float(label)], shape: [1]))
    }
}
