import GraftGraph

/// Draws views of decoded images.
struct ViewRenderer: Sendable {
    let fill: FillMode
    let fillValue: Float

    /// Names what decides about a view's pixels besides its parameters; part of every fingerprint.
    static let version = "graft-view-1"

    /// What an erased pixel is: what the usual preprocessing makes 0.
    private static let erasedValue: Float = 127.5

    init(_ recipe: Augmentation) { (fill, fillValue) = (recipe.fill, Float(recipe.fillValue)) }

    /// Draws one view in several sizes, each to its memory: `height · width · channels` values.
    ///
    /// Colours change by the mean of the first size in all of them, so that they are the same.
    func render(
        _ image: DecodedImage, _ view: ViewParameters, sizes: [Size2D],
        into targets: [UnsafeMutableBufferPointer<Float>]
    ) {
        var mean: [Float]?
        var operations = PixelOperations(view.operations)
        for (size, target) in zip(sizes, targets) {
            resample(image, view.map, size, into: target)
            view.colour.apply(
                to: target, channels: image.channels,
                mean: {
                    let value = mean ?? ColourAdjustment.mean(of: target, channels: image.channels)
                    mean = value
                    return value
                }())
            operations.apply(to: target, size, channels: image.channels)
            if let erased = view.erased { Self.erase(erased, size, channels: image.channels, in: target) }
        }
    }

    private func resample(
        _ image: DecodedImage, _ map: AffineMap, _ size: Size2D, into target: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(
            target.count == size.height * size.width * image.channels, "\(target.count) values for a view of \(size)")
        // From pixels of the view to pixels of the image, without the half pixel of their centres.
        let steps = AffineMap.scaling(
            1 / Double(size.width), 1 / Double(size.height), movingBy: 0.5 / Double(size.width),
            0.5 / Double(size.height)
        )
        .then(map)
        .then(.scaling(Double(image.width), Double(image.height)))
        // How far neighbouring pixels of the view lie apart along each axis of the image.
        let rows = BoxReduction.factor(forStep: (steps.yx * steps.yx + steps.yy * steps.yy).squareRoot())
        let columns = BoxReduction.factor(forStep: (steps.xx * steps.xx + steps.xy * steps.xy).squareRoot())
        image.pixels.withUnsafeBufferPointer { pixels in
            guard let first = pixels.baseAddress, let start = target.baseAddress else { return }
            let source = PixelRows(
                first: first, height: image.height, width: image.width, channels: image.channels)
            BoxReduction.withReduced(source, rows: rows, columns: columns) { reduced in
                let scaled = steps.then(
                    .scaling(1 / Double(columns), 1 / Double(rows), movingBy: -0.5, -0.5))
                AffineResample(
                    from: reduced, height: size.height, width: size.width, map: scaled, fill: fill,
                    fillValue: fillValue
                ).write(to: start)
            }
        }
    }

    /// Fills the pixels whose centres lie in the rectangle.
    private static func erase(
        _ rectangle: ViewParameters.Rectangle, _ size: Size2D, channels: Int,
        in target: UnsafeMutableBufferPointer<Float>
    ) {
        func pixels(_ start: Double, _ length: Double, count: Int) -> Range<Int> {
            let lower = min(max(Int((start * Double(count) - 0.5).rounded(.up)), 0), count)
            let upper = min(max(Int(((start + length) * Double(count) - 0.5).rounded(.up)), lower), count)
            return lower..<upper
        }
        let columns = pixels(rectangle.left, rectangle.width, count: size.width)
        for row in pixels(rectangle.top, rectangle.height, count: size.height) {
            let start = (row * size.width + columns.lowerBound) * channels
            for index in start..<(start + columns.count * channels) { target[index] = erasedValue }
        }
    }
}
