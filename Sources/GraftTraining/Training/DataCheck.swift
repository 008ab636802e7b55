import GraftData
import GraftGraph
import GraftModel

/// Looks at data before anything is computed: whether inputs and targets fit the model and the loss.
struct DataCheck {
    let model: Model
    let objective: Objective

    /// Checks the training and the validation examples.
    ///
    /// - Returns: the shapes of an example's targets, one for each output of the model.
    /// - Throws: `GraftError` with code `data` that says what does not fit and how to mend it.
    func check(_ training: any Dataset, _ validation: (any Dataset)?) throws -> [Shape] {
        let shapes = try check(training, name: "training", needsClasses: true)
        guard let validation else { return shapes }
        if let names = training.classNames, let others = validation.classNames, names != others {
            throw Self.otherClasses("the validation data", others, "the training data", names)
        }
        let others = try check(validation, name: "validation", needsClasses: false)
        for (shape, other) in zip(shapes, others) where other != shape {
            throw GraftError(
                .data, "a training target has the shape \(shape) and a validation target \(other); they must agree")
        }
        return shapes
    }

    /// Checks one dataset.
    ///
    /// - Parameter needsClasses: whether a classifier's examples must be of two classes at least.
    /// - Returns: the shapes of an example's targets.
    func check(_ dataset: any Dataset, name: String, needsClasses: Bool) throws -> [Shape] {
        guard dataset.count > 0 else { throw GraftError(.data, "the \(name) data holds no examples") }
        try checkInput(of: dataset, name: name)
        return try checkTargets(of: dataset, name: name, needsClasses: needsClasses)
    }

    /// - Throws: `GraftError` with code `data` where the dataset's classes are not those that the model knows, so that
    ///   class numbers would mean other classes.
    static func checkClassNames(of dataset: any Dataset, model: Model) throws(GraftError) {
        guard let known = model.metadata.classNames, let given = dataset.classNames, known != given else { return }
        throw otherClasses("the data", given, "the model", known)
    }

    private static func otherClasses(
        _ first: String, _ names: [String], _ second: String, _ others: [String]
    ) -> GraftError {
        GraftError(
            .data,
            "\(first) has the classes \(names.joined(separator: ", ")), \(second) \(others.joined(separator: ", ")); "
                + "both must be the same, in the same order")
    }

    /// All examples of a run turned out unreadable.
    static func nothingReadable(_ failures: [ExampleFailure]) -> GraftError {
        let first = failures.min { $0.index < $1.index }.map { "; the first one: \($0)" } ?? ""
        return GraftError(.data, "none of the examples can be read\(first)")
    }

    /// - Throws: `GraftError` with code `data` where the examples' rule makes images of another shape than the model takes. A
    ///   rule may come from a file and name any size: it is looked at before memory for a batch is taken.
    static func checkRule(of dataset: any Dataset, model: Model) throws(GraftError) {
        guard case .image(let rule)? = dataset.inputRule, let input = model.inputs.first, model.inputs.count == 1,
            rule.shape != input.shape
        else { return }
        throw GraftError(
            .data,
            "the images are brought to the shape \(rule.shape); the model takes \(input.shape), give them that rule")
    }

    /// Decodes one example, the first that can be read of a few, and compares its inputs with the model's.
    private func checkInput(of dataset: any Dataset, name: String) throws {
        try Self.checkRule(of: dataset, model: model)
        let wanted = model.inputs.map(\.shape)
        for index in 0..<min(dataset.count, 8) {
            let batch = try dataset.batch([index])
            guard !batch.indices.isEmpty else { continue }
            let received = batch.inputs.map(\.shape.ofExample)
            guard received == wanted else {
                let (got, needs) = (received.map(\.description), wanted.map(\.description))
                throw GraftError(
                    .data,
                    "an example of the \(name) data has the shape \(got.joined(separator: ", ")); the model "
                        + "takes \(needs.joined(separator: ", "))")
            }
            return
        }
    }

    // MARK: Targets

    private func checkTargets(of dataset: any Dataset, name: String, needsClasses: Bool) throws -> [Shape] {
        let outputs = try self.outputs()
        var (shapes, classes) = ([Shape](), outputs.map { _ in ClassTally() })
        // In parts, so that memory does not grow with the number of examples.
        // Of those that cost as much as inputs the first few stand for all.
        let (step, count) = dataset.computesTargets ? (1, min(dataset.count, 8)) : (4096, dataset.count)
        for start in stride(from: 0, to: count, by: step) {
            let indices = Array(start..<min(start + step, count))
            let targets = try targets(of: indices, in: dataset)
            // An example that cannot be read has none.
            if targets.isEmpty, dataset.computesTargets { continue }
            try checkCount(of: targets, name: name)
            shapes = targets.map(\.shape.ofExample)
            for (place, (output, targets)) in zip(outputs, targets).enumerated() {
                try output.check(targets, first: start, name: name)
                if output.isOneClass { classes[place].add(targets, isOneHot: output.loss?.targets == .distributions) }
            }
        }
        // A few say nothing about the others, which come class by class in many data sets.
        let seesAll = count == dataset.count
        for (output, classes) in zip(outputs, classes)
        where needsClasses && seesAll && output.isOneClass && classes.isSingle {
            throw GraftError(
                .data,
                "all \(dataset.count) examples of the \(name) data\(output.ofOutput) are of one class; a classifier needs two "
                    + "or more")
        }
        return shapes.isEmpty ? outputs.map { _ in [] } : shapes
    }

    private func checkCount(of targets: [Tensor], name: String) throws(GraftError) {
        guard targets.count != model.outputs.count else { return }
        guard !targets.isEmpty else {
            throw GraftError(.data, "the \(name) data has no targets; give a dataset that knows them")
        }
        throw GraftError(
            .data,
            "an example of the \(name) data has \(targets.count) targets, the model \(model.outputs.count) outputs; give a "
                + "target for each output, in the order of the outputs")
    }

    /// - Throws: `GraftError` with code `argument` for weights of classes where not one output says the class, as in Keras.
    func checkWeights(_ weights: ExampleWeights) throws(GraftError) {
        guard !weights.classes.isEmpty, model.outputs.count > 1 else { return }
        throw GraftError(
            .argument,
            "there are weights of classes and the model has \(model.outputs.count) outputs; weigh examples instead "
                + "(sampleWeights)")
    }

    /// Computed ones are those of the examples that can be read; none of one that cannot.
    private func targets(of indices: [Int], in dataset: any Dataset) throws -> [Tensor] {
        dataset.computesTargets ? try dataset.batch(indices).targets : try dataset.targets(of: indices)
    }

    private func outputs() throws(GraftError) -> [CheckedOutput] {
        guard !model.outputs.isEmpty else {
            throw GraftError(.argument, "the model has no outputs; give it one or more")
        }
        let losses = objective.losses.isEmpty ? model.outputs.map { _ in nil } : objective.losses
        return zip(model.outputs, losses).map { output, loss in
            CheckedOutput(shape: output.shape, loss: loss, name: model.outputs.count > 1 ? output.layer.name : nil)
        }
    }
}

/// An output, and what its loss expects of targets; a target that no loss reads may be anything.
private struct CheckedOutput {
    let shape: Shape
    let loss: Loss?
    /// Its name, where the model has several.
    let name: String?

    /// Behind "the data", where the model has several outputs.
    var ofOutput: String { name.map { " for the output \($0)" } ?? "" }

    /// Whether a target says which one class an example is of.
    var isOneClass: Bool { loss?.targets.isOneClass(outputs: shape.last) ?? false }

    /// - Parameters:
    ///   - first: the number of the first example.
    ///   - data: what the data is called.
    func check(_ targets: Tensor, first: Int, name data: String) throws(GraftError) {
        guard let loss else { return }
        let example = targets.shape.ofExample
        guard loss.targets.fits(example.inBatch(of: 1), predictions: shape.inBatch(of: 1)) else {
            throw misfit(example, loss, data)
        }
        try checkRange(targets, first: first, loss, data)
    }

    private func misfit(_ targets: Shape, _ loss: Loss, _ data: String) -> GraftError {
        let wanted = loss.targets.shape(for: shape.inBatch(of: 1)).ofExample
        let hint =
            loss.targets == .distributions && targets.elementCount == 1 && shape.last > 1
            ? "; for class numbers use the loss sparse_categorical_crossentropy" : ""
        return GraftError(
            .data,
            "a target of the \(data) data\(ofOutput) has the shape \(targets), the model's output \(shape); the loss "
                + "\(loss.name) needs targets of shape \(wanted)\(hint)")
    }

    private func checkRange(_ targets: Tensor, first: Int, _ loss: Loss, _ data: String) throws(GraftError) {
        let (size, classes) = (max(targets.count / max(targets.shape[0], 1), 1), shape.last)
        let wrong: (Float) -> Bool
        let expected: String
        switch loss.targets {
        case .likePredictions: (wrong, expected) = ({ !$0.isFinite }, "a finite number")
        case .probabilities, .distributions: (wrong, expected) = ({ !(0...1).contains($0) }, "from 0 to 1")
        case .classNumbers:
            wrong = { !(0..<Float(classes)).contains($0) || $0 != $0.rounded() }
            expected = "a whole number from 0 to \(classes - 1)"
        }
        guard let position = targets.withUnsafeBuffer({ $0.firstIndex(where: wrong) }) else { return }
        let names = classes == 1 ? "; for more than two classes the model needs an output for each" : ""
        throw GraftError(
            .data,
            "the target of example \(first + position / size) of the \(data) data\(ofOutput) is \(targets[position]); with "
                + "\(classes) outputs and the loss \(loss.name) it must be \(expected)\(names)")
    }
}

/// Which classes were met, as far as it takes to know whether there is more than one.
private struct ClassTally {
    private var first: [Float]?
    private(set) var isSingle = true

    mutating func add(_ targets: Tensor, isOneHot: Bool) {
        guard isSingle, targets.count > 0 else { return }
        let size = isOneHot ? targets.shape.last : 1
        targets.withUnsafeBuffer { elements in
            for start in stride(from: 0, to: elements.count, by: size) {
                let example = Array(elements[start..<(start + size)])
                if first == nil { first = example }
                if example != first { isSingle = false }
            }
        }
    }
}
