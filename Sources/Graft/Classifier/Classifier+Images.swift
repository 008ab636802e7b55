import GraftImages
import GraftModel
import GraftTraining

extension Classifier {
    /// Says what the image in a file shows.
    ///
    /// - Throws: `GraftError` with code `image` where the file cannot be read or holds no image, `cancelled`.
    public func classify(contentsOf path: String) throws -> Classification {
        try only(classify(contentsOf: [path]))
    }

    /// Says what an image in memory shows: the bytes of a file of JPEG, PNG, BMP, GIF or WebP, as a server is sent them.
    ///
    /// - Throws: `GraftError` with code `image` where the bytes are no image, `cancelled`.
    public func classify(_ bytes: [UInt8]) throws -> Classification {
        try only(classify([bytes], names: ["the image"]))
    }

    /// Says what the images in some files show, in their order. One that cannot be read is a failure among the others.
    ///
    /// - Throws: `GraftError` with code `cancelled`.
    public func classify(contentsOf paths: [String]) throws -> [Result<Classification, ExampleFailure>] {
        var results: [Result<Classification, ExampleFailure>] = []
        try forEachClassification(contentsOf: paths) { results.append($0) }
        return results
    }

    /// Says what some images in memory show, in their order. One that cannot be decoded is a failure among the others.
    ///
    /// - Parameter names: what answers and failures call them; `image 0`, `image 1`, … where `nil`.
    /// - Throws: `GraftError` with code `cancelled`, `argument` for names that are not as many as the images.
    public func classify(
        _ images: [[UInt8]], names: [String]? = nil
    ) throws -> [Result<Classification, ExampleFailure>] {
        var results: [Result<Classification, ExampleFailure>] = []
        let images = try ImageBytes(images, names: names, rule: rule, threads: options.threads)
        try forEachClassification(of: images) { results.append($0) }
        return results
    }

    /// Says what the images in some files show and hands over each answer in order, so that memory does not grow with
    /// their number; the next batch is decoded while this one is computed.
    ///
    /// - Parameter body: called with each answer; what it throws ends the work.
    public func forEachClassification(
        contentsOf paths: [String], _ body: (Result<Classification, ExampleFailure>) throws -> Void
    ) throws {
        try forEachClassification(of: ImageFiles(paths: paths, rule: rule, threads: options.threads), body)
    }

    /// How the classifier does on labelled images: loss, accuracy, and which class was taken for which.
    ///
    /// - Parameters:
    ///   - images: labelled as the classifier's classes are numbered, such as those of
    ///     `ImageFolder(at:rule:classNames:)` with the classifier's rule and names.
    ///   - progress: called after each batch.
    /// - Throws: `GraftError` with code `format` where the outputs are neither probabilities nor those of a regression, `data`
    ///   for images that do not fit, `cancelled`.
    public func evaluate(_ images: any Dataset, progress: ((Progress) throws -> Void)? = nil) throws -> Evaluation {
        switch outputs.meaning {
        case .labels: return try evaluate(images, as: .labels, progress)
        case .values: return try evaluate(images, as: .regression, progress)
        default: break
        }
        guard outputs.areProbabilities else {
            throw GraftError(
                .format,
                "\(name) gives no probabilities of classes, so there is nothing to compare with labels; where it was "
                    + "trained with from_logits=True, outputActivation: .softmax, or .sigmoid, makes them so")
        }
        return try model.evaluate(images, options: options, progress: progress)
    }

    private func evaluate(
        _ images: any Dataset, as task: ImageTask, _ progress: ((Progress) throws -> Void)?
    ) throws -> Evaluation {
        try model.evaluate(
            images, loss: task.loss(outputs: model.output.shape.last), metrics: task.metrics, options: options,
            progress: progress)
    }

    private func forEachClassification(
        of images: any Dataset, _ body: (Result<Classification, ExampleFailure>) throws -> Void
    ) throws {
        if let calibration { return try forEachClassification(of: images, calibration, body) }
        try model.forEachPrediction(of: images, options: options) { part in
            var results = part.failures.map { ($0.index, Result<Classification, ExampleFailure>.failure($0)) }
            for (row, index) in part.indices.enumerated() {
                let width = part.outputs[0].count / part.indices.count
                let values = part.outputs[0].withUnsafeBuffer { $0[row * width..<(row + 1) * width].map(Double.init) }
                results.append((index, .success(classification(values, of: images.name(of: index) ?? ""))))
            }
            for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { try body(result) }
        }
    }

    func classification(_ values: [Double], of name: String) -> Classification {
        Classification(name: name, classes: outputs.ranked(values), outputs: values)
    }

    private func only(_ results: [Result<Classification, ExampleFailure>]) throws -> Classification {
        do {
            guard let result = results.first else { throw GraftError(.data, "no image was given") }
            return try result.get()
        } catch let failure as ExampleFailure {
            throw GraftError(.image, failure.description)
        }
    }
}
