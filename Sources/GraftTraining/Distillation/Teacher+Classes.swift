import GraftGraph
import GraftModel

extension Teacher {
    /// A teacher of class probabilities: a classifier whose last layer makes them, with softmax, or with sigmoid of a single
    /// number, which stands for two classes with the logits 0 and l.
    ///
    /// What it teaches are the logits before that activation; a dense layer without one gives logits already. The classifier
    /// stays as it is.
    ///
    /// - Parameters:
    ///   - classifier: a network with one input and one output, a vector.
    ///   - temperature: T of ``Lesson/logits(temperature:weight:)``.
    ///   - weight: what its loss is multiplied with.
    ///   - input: which of an example's inputs it sees; 0 is the student's own.
    /// - Throws: `GraftError` with code `argument` where the last layer is none of these, and what
    ///   ``init(_:lesson:input:)`` throws.
    public static func classes(
        of classifier: Model, temperature: Float = 1, weight: Float = 1, input: Int = 0
    ) throws(GraftError) -> Teacher {
        guard let output = classifier.outputs.first, classifier.outputs.count == 1, output.shape.rank == 1 else {
            throw GraftError(
                .argument,
                "\(classifier.name) gives \(classifier.outputs.map(\.shape.description).joined(separator: ", ")) for an "
                    + "example; a classifier gives one vector")
        }
        let logits = try logits(before: output, classifier.name)
        let model =
            logits == output
            ? classifier : try Model(inputs: classifier.inputs, outputs: [logits], name: classifier.name)
        return try Teacher(model, lesson: .logits(temperature: temperature, weight: weight), input: input)
    }

    private static func logits(before output: SymbolicTensor, _ name: String) throws(GraftError) -> SymbolicTensor {
        let (before, isSingle) = (output.call.inputs.first ?? output, output.shape.last == 1)
        switch output.layer {
        case let layer as Activation where layer.activation == .softmax && !isSingle: return before
        case let layer as Activation where layer.activation == .sigmoid && isSingle: return try twoClasses(before)
        case let layer as Dense where layer.activation == .linear && !isSingle: return output
        case let layer as Dense where layer.activation == .softmax && !isSingle:
            return try withoutActivation(layer, before)
        case let layer as Dense where layer.activation == .sigmoid && isSingle:
            return try twoClasses(withoutActivation(layer, before))
        default:
            throw GraftError(
                .argument,
                "the last layer of \(name), \(output.layer.name), gives \(output.shape) and no class probabilities that can "
                    + "be taught: it takes softmax of several numbers, sigmoid of one, or a dense layer that gives logits; "
                    + "teach features")
        }
    }

    /// The same product without what is applied last.
    private static func withoutActivation(
        _ layer: Dense, _ before: SymbolicTensor
    ) throws(GraftError) -> SymbolicTensor {
        let plain = Dense(layer.units, useBias: layer.useBias, name: layer.name + "_logits")
        let logits = try plain(before)
        for (variable, own) in zip(plain.variables, layer.variables) { try variable.assign(own.value) }
        return logits
    }

    /// Logits 0 and l from l: the sigmoid of l is the second one's softmax.
    private static func twoClasses(_ logit: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let both = Dense(2, useBias: false, name: "two_classes")
        let logits = try both(logit)
        try both.kernel?.assign(Tensor([0, 1], shape: [1, 2]))
        return logits
    }
}
