/// `images, transforms`: NHWC images read along a grid that is turned, shifted and stretched, each by six numbers of its own.
///
/// Pixel (x, y) of a result is what an image has at (a₀x + a₁y + a₂, b₀x + b₁y + b₂), with (0, 0) in the middle of the first
/// pixel; an image's row of `transforms` is (a₀, a₁, a₂, b₀, b₁, b₂).
///
/// Source: TensorFlow's ImageProjectiveTransformV3, tensorflow/core/kernels/image/image_ops.h, without its projection.
package struct AffineResample: Hashable, Sendable {
    /// The results' height and width.
    package let size: Size2D
    /// Whether a place is between four pixels; else it is the nearest pixel's.
    package let isBilinear: Bool
    /// What stands for places outside.
    package let fill: FillMode
    /// The constant.
    package let fillValue: Float

    /// A reading with these attributes.
    package init(size: Size2D, isBilinear: Bool, fill: FillMode, fillValue: Float = 0) {
        (self.size, self.isBilinear, self.fill, self.fillValue) = (size, isBilinear, fill, fillValue)
    }
}

/// `outputGradient, transforms`: what ``AffineResample`` reads of each pixel, given back to it.
package struct AffineResampleGradient: Hashable, Sendable {
    /// The height and width of what was read.
    package let input: Size2D
    /// The reading.
    package let reading: AffineResample
}

/// The pixels that one pixel of a result is made of: up to four.
package struct AffineTaps: Sendable {
    /// The columns and rows of the first and the second neighbour; −1 for one outside, which the constant stands for.
    package var columns: (Int, Int)
    package var rows: (Int, Int)
    /// How much of the second neighbour is in it, along each axis.
    package var share: (column: Double, row: Double)
}

extension AffineResample {
    /// What a place is made of.
    ///
    /// - Parameters:
    ///   - transform: the six numbers.
    ///   - image: the height and width of what is read.
    package func taps(x: Int, y: Int, _ transform: (Int) -> Double, _ image: Size2D) -> AffineTaps {
        let (x, y) = (Double(x), Double(y))
        let column = inside(transform(0) * x + transform(1) * y + transform(2), image.width)
        let row = inside(transform(3) * x + transform(4) * y + transform(5), image.height)
        guard isBilinear else {
            let columns = Self.position(column.rounded(), image.width)
            let rows = Self.position(row.rounded(), image.height)
            return AffineTaps(columns: (columns, columns), rows: (rows, rows), share: (0, 0))
        }
        let (left, top) = (column.rounded(.down), row.rounded(.down))
        return AffineTaps(
            columns: (Self.position(left, image.width), Self.position(left + 1, image.width)),
            rows: (Self.position(top, image.height), Self.position(top + 1, image.height)),
            share: (column - left, row - top))
    }

    /// A whole coordinate as a position; −1 outside, and for what is no number.
    private static func position(_ coordinate: Double, _ count: Int) -> Int {
        coordinate >= 0 && coordinate < Double(count) ? Int(coordinate) : -1
    }

    /// A coordinate brought inside an axis, but for a constant around it.
    private func inside(_ coordinate: Double, _ count: Int) -> Double {
        let last = Double(count - 1)
        guard fill != .constant, coordinate.isFinite else { return coordinate }
        guard last > 0, coordinate < 0 || coordinate > last else { return min(max(coordinate, 0), last) }
        var place = coordinate
        switch fill {
        case .constant, .nearest: break
        case .reflect:
            let period = 2 * Double(count)
            if place < 0 {
                place += period * (-place / period).rounded(.towardZero)
                place = place < -Double(count) ? place + period : -place - 1
            } else {
                place -= period * (place / period).rounded(.towardZero)
                if place >= Double(count) { place = period - place - 1 }
            }
        case .wrap:
            let turns = (abs(place) / last).rounded(.towardZero)
            place += Double(count) * (place < 0 ? turns + 1 : -turns)
        }
        return min(max(place, 0), last)
    }

    /// Calls the body with each place of the results and the pixels it is made of.
    fileprivate func forEachPlace(
        _ transforms: ReferenceArray, image: Size2D, batch: Int,
        _ body: (_ example: Int, _ place: Int, AffineTaps) -> Void
    ) {
        for example in 0..<batch {
            for y in 0..<size.height {
                for x in 0..<size.width {
                    let taps = taps(x: x, y: y, { transforms.values[example * 6 + $0] }, image)
                    body(example, (example * size.height + y) * size.width + x, taps)
                }
            }
        }
    }
}

extension AffineTaps {
    /// Calls the body with each neighbour that has a weight: its column and row, −1 outside.
    package func forEach(_ body: (_ column: Int, _ row: Int, _ weight: Double) -> Void) {
        // Without arrays: this is done for each pixel.
        func visit(_ column: Int, _ row: Int, _ weight: Double) { if weight != 0 { body(column, row, weight) } }
        visit(columns.0, rows.0, (1 - share.column) * (1 - share.row))
        visit(columns.1, rows.0, share.column * (1 - share.row))
        visit(columns.0, rows.1, (1 - share.column) * share.row)
        visit(columns.1, rows.1, share.column * share.row)
    }
}

extension AffineResample: OperationRule {
    package var name: String { "affineResample" }

    package var operandCount: Int? { 2 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let images = operands[0]
        guard images.rank == 4, images[1] > 0, images[2] > 0, size.height > 0, size.width > 0 else {
            throw mismatch("\(images) are no NHWC images with pixels, or the size \(size) has none")
        }
        _ = try require(operands[1], equals: [images[0], 6], giving: images)
        return [images[0], size.height, size.width, images[3]]
    }

    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        guard position == 0 else {
            throw step.refusal("has a gradient for its images alone: where it reads them is drawn, not learned")
        }
        let images = graph.shape(of: step.operand(0))
        let rule = AffineResampleGradient(input: Size2D(images[1], images[2]), reading: self)
        return try graph.add(.custom(AnyCustomOperation(rule)), [step.gradient, step.operand(1)])
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        var read = ReferenceArray(shape: result)
        let (images, channels) = (operands[0], result[3])
        let (height, width) = (images.shape[1], images.shape[2])
        forEachPlace(operands[1], image: Size2D(height, width), batch: result[0]) { image, place, taps in
            taps.forEach { column, row, weight in
                for channel in 0..<channels {
                    let isOutside = column < 0 || row < 0
                    let pixel = ((image * height + row) * width + column) * channels + channel
                    let value = isOutside ? Double(fillValue) : images.values[pixel]
                    read.values[place * channels + channel] += weight * value
                }
            }
        }
        return read
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        operands.allSatisfy(\.isPerExample)
    }
}

extension AffineResampleGradient: OperationRule {
    package var name: String { "affineResampleGradient" }

    package var operandCount: Int? { 2 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let gradient = operands[0]
        guard gradient.rank == 4, gradient[1] == reading.size.height, gradient[2] == reading.size.width,
            input.height > 0, input.width > 0
        else { throw mismatch("\(gradient) is no gradient of images of the size \(reading.size)") }
        _ = try require(operands[1], equals: [gradient[0], 6], giving: gradient)
        return [gradient[0], input.height, input.width, gradient[3]]
    }

    /// Read again, with 0 around.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        guard position == 0 else {
            throw step.refusal("has a gradient for its images alone: where it reads them is drawn, not learned")
        }
        return try graph.affineResample(
            step.gradient, step.operand(1), to: reading.size, isBilinear: reading.isBilinear, fill: reading.fill)
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        var given = ReferenceArray(shape: result)
        let (gradient, channels) = (operands[0], result[3])
        reading.forEachPlace(operands[1], image: input, batch: result[0]) { image, place, taps in
            taps.forEach { column, row, weight in
                guard column >= 0, row >= 0 else { return }
                for channel in 0..<channels {
                    let pixel = ((image * input.height + row) * input.width + column) * channels + channel
                    given.values[pixel] += weight * gradient.values[place * channels + channel]
                }
            }
        }
        return given
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        operands.allSatisfy(\.isPerExample)
    }
}

extension Graph {
    /// NHWC images read along a grid that is turned, shifted and stretched: see ``AffineResample``.
    ///
    /// - Parameter transforms: six numbers for each image, of the shape `[batch, 6]`.
    /// - Throws: ``GraftError`` with code `shape` where the operands are no images and six numbers for each.
    package mutating func affineResample(
        _ images: ValueID, _ transforms: ValueID, to size: Size2D, isBilinear: Bool, fill: FillMode,
        fillValue: Float = 0
    ) throws(GraftError) -> ValueID {
        let rule = AffineResample(size: size, isBilinear: isBilinear, fill: fill, fillValue: fillValue)
        return try add(.custom(AnyCustomOperation(rule)), [images, transforms])
    }
}
