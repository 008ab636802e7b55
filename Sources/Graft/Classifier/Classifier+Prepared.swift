import GraftData
import GraftGraph
import GraftImages
import GraftModel
import GraftTraining

/// What a server does by hand, so that images are decoded while others are computed, and those of several clients are computed
/// together.
extension Classifier {
    /// Decodes an image and brings it to the input's size; what it takes is bounded by its header.
    ///
    /// - Parameters:
    ///   - bytes: a file of JPEG, PNG, BMP, GIF, WebP, TIFF, HEIF or DICOM.
    ///   - pixelLimit: more pixels than this are refused before they are decoded; ``ImageDecoder/maximumPixelCount`` where `nil`.
    /// - Returns: a tensor of the shape (height, width, channels) of ``rule``, values from 0 to 255.
    /// - Throws: `GraftError` with code `image` where the bytes are no image, or a larger one.
    public func prepare(_ bytes: [UInt8], pixelLimit: Int? = nil) throws -> Tensor {
        if let pixelLimit { try ImageDecoder.check(bytes, pixelLimit: pixelLimit) }
        let batch = try ImageBytes([bytes], names: ["the image"], rule: rule, threads: 1).batch([0])
        if let failure = batch.failures.first { throw GraftError(.image, failure.message) }
        let rows = batch.inputs[0]
        return Tensor(rows.scalars, shape: Shape(Array(rows.shape.dimensions.dropFirst())))
    }

    /// Says what prepared images show, in their order.
    ///
    /// Plans are kept for two sizes of batch: calls with always the same two take no time to make them.
    ///
    /// - Parameters:
    ///   - images: of the shape (images, height, width, channels), as ``prepare(_:pixelLimit:)`` makes them, one behind the other.
    ///   - names: what answers call them.
    ///   - batchSize: how many are computed at once; a last batch with fewer takes as long.
    /// - Throws: `GraftError` with code `shape` for another shape, `argument` for names that are not as many and for a batch
    ///   size below 1, `cancelled`.
    public func classify(prepared images: Tensor, names: [String], batchSize: Int) throws -> [Classification] {
        guard images.shape.rank == 4, Array(images.shape.dimensions.dropFirst()) == rule.shape.dimensions else {
            throw GraftError(
                .shape, "\(name) takes images of the shape \(rule.shape); it was given \(images.shape), images first")
        }
        guard batchSize >= 1, names.count == images.shape[0] else {
            throw GraftError(
                .argument,
                "\(images.shape[0]) images need as many names, and a batch of at least 1; there are \(names.count) names and "
                    + "batches of \(batchSize)")
        }
        var answers: [Classification] = []
        for start in stride(from: 0, to: names.count, by: batchSize) {
            let numbers = Array(start..<min(start + batchSize, names.count))
            let part = numbers.count == names.count ? images : images.rows(numbers)
            answers += try computed(part, names: numbers.map { names[$0] }, batchSize: batchSize)
        }
        return answers
    }

    private func computed(_ images: Tensor, names: [String], batchSize: Int) throws -> [Classification] {
        guard let calibration else {
            let whole = try ArrayDataset(inputs: images.padded(toRows: batchSize))
            let outputs = try model.predict(whole, batchSize: batchSize, options: options).outputs[0]
            return Self.rows(of: outputs, count: names.count).enumerated().map { classification($1, of: names[$0]) }
        }
        let explainer = try explainers.explainer(of: model, batchSize: batchSize, options: options)
        let (outputs, features) = try explainer.run([images])
        return Self.rows(of: outputs, count: names.count).enumerated().map { row, values in
            var answer = classification(values, of: names[row])
            answer.assessment = calibration.assess(values, features: features.rows([row]))
            return answer
        }
    }

    private static func rows(of outputs: Tensor, count: Int) -> [[Double]] {
        let width = outputs.shape[0] > 0 ? outputs.shape.elementCount / outputs.shape[0] : 0
        return outputs.withUnsafeBuffer { values in
            (0..<count).map { row in values[(row * width)..<((row + 1) * width)].map(Double.init) }
        }
    }

    /// Where the network looked in a prepared image, drawn over it: the stronger, the more orange. See
    /// ``forEachActivationMap(contentsOf:layer:_:)``, whose map it is.
    ///
    /// - Parameter image: as ``prepare(_:pixelLimit:)`` makes it.
    /// - Returns: a JPEG file; `nil` where the model has no map, or no classes.
    /// - Throws: `GraftError` with code `shape` for another shape.
    public func heatMap(ofPrepared image: Tensor) throws -> [UInt8]? {
        guard outputs.areProbabilities else { return nil }
        guard image.shape == rule.shape else {
            throw GraftError(.shape, "\(name) takes images of the shape \(rule.shape); it was given \(image.shape)")
        }
        let explainer = try explainers.mapper(of: model, options: options)
        guard explainer.hasActivationMaps else { return nil }
        let rows = Tensor(image.scalars, shape: Shape([1] + image.shape.dimensions))
        let batch = Batch(indices: [0], inputs: [rows], targets: [])
        guard case .success(let map)? = try maps(batch, explainer, [name]).first?.1 else { return nil }
        let values = Tensor(map.values.scalars, shape: Shape([1] + map.values.shape.dimensions))
        return try JPEGWriter.bytes(of: HeatOverlay(values).applied(to: rows), quality: 85)
    }
}

/// A small version of an image, for pages that show many.
public enum ImageThumbnail {
    /// A JPEG file whose longer side has so many pixels.
    ///
    /// - Parameters:
    ///   - bytes: a file of an image, as for ``Classifier/prepare(_:pixelLimit:)``.
    ///   - side: 1 to 4096.
    /// - Throws: `GraftError` with code `image` where the bytes are no image, `argument` for another side.
    public static func jpeg(of bytes: [UInt8], side: Int) throws(GraftError) -> [UInt8] {
        guard (1...4096).contains(side) else {
            throw GraftError(.argument, "side: got \(side), needs 1 to 4096 pixels")
        }
        let image = try ImageDecoder(channels: 3).decode(bytes)
        return try JPEGWriter.bytes(of: ContactSheet(cell: side).thumbnail(of: image))
    }
}
