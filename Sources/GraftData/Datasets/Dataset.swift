import GraftGraph

/// Examples that a model trains on, is evaluated on or predicts.
///
/// A dataset may hold several ``views`` of each example: augmented versions of its input, with the same targets. Every
/// function then takes the numbers `0 ..< count · views`: the number of an example's view is `view · count + example`, so
/// that `0 ..< count` is the first view. An epoch of `fit` draws one view of each example, the next epoch the next view;
/// `evaluate`, `predict` and validation take the first.
public protocol Dataset: Sendable {
    /// The number of examples, however many views each has.
    var count: Int { get }

    /// How many versions of each example there are, 1 or more; 1 by default. A view is a pure function of
    /// the dataset and its number: asked for again, it is the same.
    var views: Int { get }

    /// Decodes these examples, in this order; examples that cannot be read are left out of the batch and named in its
    /// `failures`. May be called from many threads.
    func batch(_ indices: [Int]) throws -> Batch

    /// The targets of these examples, in this order, as ``batch(_:)`` gives them but without decoding an input: what
    /// training reads next to kept features. One tensor for each output of the model; empty where only inputs are known.
    func targets(of indices: [Int]) throws -> [Tensor]

    /// Whether targets are computed from the inputs, such as a teacher's answers: they cost as much as the inputs, so that
    /// they are only read with a batch.
    var computesTargets: Bool { get }

    /// The identity of an example's input (a hash of its bytes and of the rule that decodes it), or `nil` where
    /// features must not be kept, as for inputs that change at random. It may be asked for on several threads at once.
    func fingerprint(of index: Int) throws -> String?

    /// What messages call an example, such as the path of its file; `nil` where it has no name.
    func name(of index: Int) -> String?

    /// The classes' names, in the order of the class numbers, where they are known.
    var classNames: [String]? { get }

    /// How bytes become inputs, so that a model trained on them can carry the rule; `nil` if unknown.
    var inputRule: InputRule? { get }
}

extension Dataset {
    /// One.
    public var views: Int { 1 }

    /// No name.
    public func name(of index: Int) -> String? { nil }

    /// They come with the inputs.
    public var computesTargets: Bool { false }

    /// The targets of whole batches; a dataset that decodes its inputs does better to give its labels.
    ///
    /// - Throws: ``GraftError`` with code `data` where one of the examples cannot be read.
    public func targets(of indices: [Int]) throws -> [Tensor] {
        let batch = try batch(indices)
        if let failure = batch.failures.first {
            throw GraftError(.data, "the target of an example cannot be read", cause: failure)
        }
        return batch.targets
    }
}

/// A dataset whose batches may reuse memory.
package protocol PooledDataset: Dataset {
    /// As ``Dataset/batch(_:)``, with inputs in memory of this pool.
    func batch(_ indices: [Int], in memory: TensorPool) throws -> Batch

    /// How many tensors of inputs a batch has, for the size of the pool.
    var inputCount: Int { get }
}

extension PooledDataset {
    /// One.
    package var inputCount: Int { 1 }
}

/// Some examples as tensors with a batch axis in front.
public struct Batch: Sendable {
    /// The examples' numbers in the dataset, one for each row of the tensors.
    public var indices: [Int]
    /// A tensor for each input of the model.
    public var inputs: [Tensor]
    /// A tensor for each output of the model; empty where only inputs are known.
    public var targets: [Tensor]
    /// The examples that are missing, with the reason.
    public var failures: [ExampleFailure]

    /// A batch of these parts.
    public init(indices: [Int], inputs: [Tensor], targets: [Tensor], failures: [ExampleFailure] = []) {
        (self.indices, self.inputs, self.targets, self.failures) = (indices, inputs, targets, failures)
    }
}

/// An example that could not be read.
public struct ExampleFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Its number in the dataset.
    public var index: Int
    /// The file it is in.
    public var path: String
    /// Why it could not be read.
    public var message: String

    /// A failure of this example.
    public init(index: Int, path: String, message: String) {
        (self.index, self.path, self.message) = (index, path, message)
    }

    /// The path and the reason.
    public var description: String { "\(path): \(message)" }
}
