/// How an image gets another height and width. Pixels are squares, so that the centre of pixel i is at i + ½.
public enum Interpolation: Hashable, Sendable, CaseIterable {
    /// The pixel that the place falls into.
    case nearest
    /// Between the centres of the four pixels around the place, each weighed by how near it is.
    case bilinear
    /// The same between the corners: the first and the last pixel stay where they are (`align_corners`).
    case bilinearAlignedCorners
    /// The same where an image grows; where it shrinks, a triangle over all pixels that become one (`antialias`).
    case bilinearAntialiased
}

/// `image`: an NHWC image in another size.
package struct Resize: Hashable, Sendable {
    /// The result's height and width.
    package let size: Size2D
    /// What stands between the pixels.
    package let interpolation: Interpolation

    /// To a size.
    package init(size: Size2D, _ interpolation: Interpolation) {
        (self.size, self.interpolation) = (size, interpolation)
    }
}

/// `outputGradient`: what ``Resize`` reads of each pixel, given back to it.
package struct ResizeGradient: Hashable, Sendable {
    /// The height and width of what was resized.
    package let input: Size2D
    /// As in the resize.
    package let interpolation: Interpolation
}

/// What each place along an axis of the result is made of: weights of neighbouring places of the operand.
package struct ResizeWeights: Hashable, Sendable {
    /// By place of the result: the first place of the operand that it reads.
    package private(set) var starts: [Int]
    /// By place of the result: the weights from there on.
    package private(set) var weights: [[Double]]

    /// Those of an axis of `input` places that gets `output`.
    ///
    /// - Precondition: both are positive.
    package init(input: Int, output: Int, _ interpolation: Interpolation) {
        (starts, weights) = ([], [])
        let scale = Double(input) / Double(output)
        for place in 0..<output {
            let center = (Double(place) + 0.5) * scale
            switch interpolation {
            case .nearest: append([min(Int(center), input - 1): 1])
            case .bilinear: append(Self.between(center - 0.5, input))
            case .bilinearAlignedCorners:
                append(Self.between(output > 1 ? Double(place * (input - 1)) / Double(output - 1) : 0, input))
            case .bilinearAntialiased: append(Self.triangle(around: center, radius: max(scale, 1), input))
            }
        }
    }

    /// The two places around a position; at the edge the one that there is.
    private static func between(_ position: Double, _ input: Int) -> [Int: Double] {
        let inside = min(max(position, 0), Double(input - 1))
        let lower = Int(inside)
        let share = inside - Double(lower)
        return share == 0 ? [lower: 1] : [lower: 1 - share, lower + 1: share]
    }

    /// The places whose centres are nearer than a radius, by how near they are; together 1.
    private static func triangle(around center: Double, radius: Double, _ input: Int) -> [Int: Double] {
        let places = max(Int(center - radius), 0)...min(Int(center + radius), input - 1)
        var weights: [Int: Double] = [:]
        for place in places {
            let weight = 1 - abs(Double(place) + 0.5 - center) / radius
            if weight > 0 { weights[place] = weight }
        }
        let sum = weights.values.reduce(0, +)
        return weights.mapValues { $0 / sum }
    }

    private mutating func append(_ shares: [Int: Double]) {
        let start = shares.keys.min() ?? 0
        starts.append(start)
        weights.append((start..<start + shares.count).map { shares[$0, default: 0] })
    }

    /// The same weights by place of the operand, `input` of them: what each place of the result gives back.
    package func transposed(input: Int) -> ResizeWeights {
        var result = self
        (result.starts, result.weights) = ([Int](repeating: 0, count: input), [[Double]](repeating: [], count: input))
        for (place, (start, weights)) in zip(starts, weights).enumerated() {
            for (offset, weight) in weights.enumerated() {
                // Places follow one another, so that the next one is the neighbour of the last.
                if result.weights[start + offset].isEmpty { result.starts[start + offset] = place }
                result.weights[start + offset].append(weight)
            }
        }
        return result
    }

    /// Both axes applied to an NHWC image.
    package static func apply(
        _ rows: ResizeWeights, _ columns: ResizeWeights, to image: ReferenceArray, result: Shape
    ) -> ReferenceArray {
        var resized = ReferenceArray(shape: result)
        let (strides, channels) = (image.shape.strides, result[3])
        forEachPosition(in: result, steps: result.strides) { position, _ in
            let index = (image: position / result.strides[0], row: position / result.strides[1] % result[1])
            let (column, channel) = (position / channels % result[2], position % channels)
            for (y, vertical) in rows.weights[index.row].enumerated() {
                for (x, horizontal) in columns.weights[column].enumerated() {
                    let row = index.image * strides[0] + (rows.starts[index.row] + y) * strides[1]
                    let pixel = row + (columns.starts[column] + x) * strides[2]
                    resized.values[position] += vertical * horizontal * image.values[pixel + channel]
                }
            }
        }
        return resized
    }
}

extension Resize: OperationRule {
    package var name: String { "resize" }

    package var operandCount: Int? { 1 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let image = operands[0]
        guard image.rank == 4, image[1] > 0, image[2] > 0, size.height > 0, size.width > 0 else {
            throw mismatch("\(image) is no NHWC image with pixels, or the size \(size) has none")
        }
        return [image[0], size.height, size.width, image[3]]
    }

    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let image = graph.shape(of: step.operand(0))
        let rule = ResizeGradient(input: Size2D(image[1], image[2]), interpolation: interpolation)
        return try graph.add(.custom(AnyCustomOperation(rule)), [step.gradient])
    }

    /// The weights of both axes for an image.
    package func weights(_ image: Shape) -> (rows: ResizeWeights, columns: ResizeWeights) {
        (
            ResizeWeights(input: image[1], output: size.height, interpolation),
            ResizeWeights(input: image[2], output: size.width, interpolation)
        )
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let (rows, columns) = weights(operands[0].shape)
        return ResizeWeights.apply(rows, columns, to: operands[0], result: result)
    }

    package var isCheapToRepeat: Bool { true }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { true }
}

extension ResizeGradient: OperationRule {
    package var name: String { "resizeGradient" }

    package var operandCount: Int? { 1 }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let gradient = operands[0]
        guard gradient.rank == 4, gradient[1] > 0, gradient[2] > 0, input.height > 0, input.width > 0 else {
            throw mismatch("\(gradient) is no NHWC image with pixels, or the size \(input) has none")
        }
        return [gradient[0], input.height, input.width, gradient[3]]
    }

    /// Resized again.
    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let size = graph.shape(of: step.operand(0))
        return try graph.resize(step.gradient, to: Size2D(size[1], size[2]), interpolation)
    }

    /// The weights of both axes for a gradient.
    package func weights(_ gradient: Shape) -> (rows: ResizeWeights, columns: ResizeWeights) {
        let image: Shape = [1, input.height, input.width, 1]
        let forward = Resize(size: Size2D(gradient[1], gradient[2]), interpolation).weights(image)
        return (forward.rows.transposed(input: input.height), forward.columns.transposed(input: input.width))
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        let (rows, columns) = weights(operands[0].shape)
        return ResizeWeights.apply(rows, columns, to: operands[0], result: result)
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { true }
}

extension Graph {
    /// NHWC images in another size.
    ///
    /// Source: tensorflow/core/kernels/image, `half_pixel_centers`; PyTorch's `interpolate` has the same rules under the
    /// names that ``Interpolation`` tells.
    ///
    /// - Returns: the shape `[batch, size.height, size.width, channels]`.
    /// - Throws: ``GraftError`` with code `shape` where the operand is no NHWC image or a size is not positive.
    public mutating func resize(
        _ image: ValueID, to size: Size2D, _ interpolation: Interpolation
    ) throws(GraftError) -> ValueID {
        try add(.custom(AnyCustomOperation(Resize(size: size, interpolation))), [image])
    }
}
