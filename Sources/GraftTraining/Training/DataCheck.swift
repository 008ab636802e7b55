import GraftData
import GraftGraph
import GraftModel

/// Looks at data before anything is computed: whether inputs and targets fit the model and the loss.
struct DataCheck {
    let model: Model
    let loss: Loss

    /// Checks the training and the validation examples.
    ///
    /// - Returns: the shape of an example's target.
    /// - Throws: `GraftError` with code `data` that says what does not fit and how to mend it.
    func check(_ training: any Dataset, _ validation: (any Dataset)?) throws -> Shape {
        let shape = try check(training, name: "training", needsClasses: true)
        guard let validation else { return shape }
        if let names = training.classNames, let others = validation.classNames, names != others {
            throw Self.otherClasses("the validation data", others, "the training data", names)
        }
        let other = try check(validation, name: "validation", needsClasses: false)
        guard other == shape else {
            throw GraftError(
                .data, "a training target has the shape \(shape) and a validation target \(other); they must agree")
        }
        return shape
    }

    /// Checks one dataset.
    ///
    /// - Parameter needsClasses: whether a classifier's examples must be of two classes at least.
    /// - Returns: the shape of an example's target.
    func check(_ dataset: any Dataset, name: String, needsClasses: Bool) throws -> Shape {
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

    /// Decodes one example, the first that can be read of a few, and compares its inputs with the model's.
    private func checkInput(of dataset: any Dataset, name: String) throws {
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

    private func checkTargets(of dataset: any Dataset, name: String, needsClasses: Bool) throws -> Shape {
        let output = try outputShape()
        let isOneClass = loss.targets.isOneClass(outputs: output.last)
        var (shape, classes) = (Shape?.none, ClassTally())
        // In parts, so that memory does not grow with the number of examples.
        // Of those that cost as much as inputs the first few stand for all.
        let (step, count) = dataset.computesTargets ? (1, min(dataset.count, 8)) : (4096, dataset.count)
        for start in stride(from: 0, to: count, by: step) {
            let indices = Array(start..<min(start + step, count))
            guard let targets = try targets(of: indices, in: dataset).first else {
                // An example that cannot be read has none.
                if dataset.computesTargets { continue }
                throw GraftError(.data, "the \(name) data has no targets; give a dataset that knows them")
            }
            let example = targets.shape.ofExample
            guard loss.targets.fits(example.inBatch(of: 1), predictions: output.inBatch(of: 1)) else {
                throw misfit(targets: example, output: output, name: name)
            }
            shape = example
            try checkRange(targets, first: start, classes: output.last, name: name)
            if isOneClass { classes.add(targets, isOneHot: loss.targets == .distributions) }
        }
        if needsClasses, isOneClass, classes.isSingle {
            throw GraftError(
                .data,
                "all \(dataset.count) examples of the \(name) data are of one class; a classifier needs two or "
                    + "more")
        }
        return shape ?? []
    }

    /// Computed ones are those of the examples that can be read; none of one that cannot.
    private func targets(of indices: [Int], in dataset: any Dataset) throws -> [Tensor] {
        dataset.computesTargets ? try dataset.batch(indices).targets : try dataset.targets(of: indices)
    }

    private func outputShape() throws -> Shape {
        guard let output = model.outputs.first, model.outputs.count == 1 else {
            throw GraftError(
                .argument, "the model has \(model.outputs.count) outputs; fit and evaluate take models with one")
        }
        return output.shape
    }

    private func misfit(targets: Shape, output: Shape, name: String) -> GraftError {
        let wanted = loss.targets.shape(for: output.inBatch(of: 1)).ofExample
        let hint =
            loss.targets == .distributions && targets.elementCount == 1 && output.last > 1
            ? "; for class numbers use the loss sparse_categorical_crossentropy" : ""
        return GraftError(
            .data,
            "a target of the \(name) data has the shape \(targets), the model's output \(output); the loss "
                + "\(loss.name) needs targets of shape \(wanted)\(hint)")
    }

    private func checkRange(_ targets: Tensor, first: Int, classes: Int, name: String) throws {
        let size = max(targets.count / max(targets.shape[0], 1), 1)
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
            "the target of example \(first + position / size) of the \(name) data is \(targets[position]); with "
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
