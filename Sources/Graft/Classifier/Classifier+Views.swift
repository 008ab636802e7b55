import GraftGraph
import GraftImages
import GraftLearning
import GraftTraining

extension Classifier {
    /// Says what the images in some files show, by the mean over each image and its views, in order; see
    /// ``forEachClassification(contentsOf:_:)``.
    ///
    /// - Throws: `GraftError` with code `argument` for less than one view, and as the other.
    public func forEachClassification(
        contentsOf paths: [String], views: TestTimeViews,
        _ body: (Result<Classification, ExampleFailure>) throws -> Void
    ) throws {
        try check(views)
        let rows = try ViewRows(
            paths, labels: nil, classNames: nil, rule: rule, views, threads: options.threads)
        try forEachMean(of: rows, progress: nil) { index, answer in
            switch answer {
            case .success(let answer):
                try body(.success(classification(answer.mean, of: paths[index])))
            case .failure(let failure): try body(.failure(failure))
            }
        }
    }

    /// How the classifier does on labelled images with and without views.
    ///
    /// - Parameters:
    ///   - images: labelled as the classifier's classes are numbered.
    ///   - progress: called after each batch, with numbers of views.
    /// - Throws: `GraftError` with code `argument` for less than one view, `format` where the outputs are no probabilities, `data`
    ///   where no image can be read, `cancelled`.
    public func evaluate(
        _ images: ImageDataset, views: TestTimeViews, progress: ((Progress) throws -> Void)? = nil
    ) throws -> ViewEvaluation {
        try check(views)
        guard outputs.areProbabilities else {
            throw GraftError(.format, "\(name) gives no probabilities of classes, which is what views are the mean of")
        }
        let rows = try ViewRows(
            images.paths, labels: images.labels, classNames: classNames, rule: rule, views, threads: options.threads)
        var result = ViewEvaluation(classNames: classNames)
        try forEachMean(of: rows, progress: progress) { index, answer in
            switch answer {
            case .success(let answer): result.add(answer.mean, plain: answer.plain, label: images.labels[index])
            case .failure(let failure): result.failures.append(failure)
            }
        }
        guard result.exampleCount > 0 else {
            throw GraftError(.data, "none of the images can be read\(result.failures.first.map { ": \($0)" } ?? "")")
        }
        return result
    }

    private func check(_ views: TestTimeViews) throws(GraftError) {
        try views.augmentation.validate()
        guard (1...10_000).contains(views.count) else {
            throw GraftError(.argument, "views: the mean needs 1 to 10000 of them beside the image, not \(views.count)")
        }
    }

    /// Hands over the outputs for each image and their mean over its views, in order, or why it cannot be read.
    private func forEachMean(
        of rows: ViewRows, progress: ((Progress) throws -> Void)?,
        _ body: (Int, Result<(plain: [Double], mean: [Double]), ExampleFailure>) throws -> Void
    ) throws {
        let start = ContinuousClock.now
        var (plain, sum, done) = ([Double](), [Double](), 0)
        var told: Set<Int> = []
        try model.forEachPrediction(of: rows, options: options) { part in
            var failures = part.failures[...]
            func tell(before row: Int) throws {
                while let failure = failures.first, failure.index < row {
                    failures = failures.dropFirst()
                    let image = failure.index / rows.width
                    if told.insert(image).inserted { try body(image, .failure(failure)) }
                }
            }
            for (position, row) in part.indices.enumerated() {
                try tell(before: row)
                let width = part.outputs[0].count / part.indices.count
                let values = part.outputs[0].withUnsafeBuffer {
                    $0[(position * width)..<((position + 1) * width)].map(Double.init)
                }
                if row % rows.width == 0 {
                    (plain, sum) = (values, values)
                } else {
                    sum = zip(sum, values).map { $0 + $1 }
                }
                if row % rows.width == rows.width - 1 {
                    try body(row / rows.width, .success((plain, sum.map { $0 / Double(rows.width) })))
                }
            }
            try tell(before: rows.count)
            done += part.indices.count + part.failures.count
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            try progress?(Progress(done: min(done, rows.count), total: rows.count, elapsed: seconds))
        }
    }
}
