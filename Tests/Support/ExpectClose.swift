import GraftGraph
import Testing

/// Expects two arrays of one shape to agree in every element, and names the worst one where they do not.
///
/// - Parameter tolerance: the largest difference allowed, as a share of the largest expected number, or of 1 where that
///   is larger.
package func expectClose(
    _ actual: ReferenceArray, _ expected: ReferenceArray, tolerance: Double, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.shape == expected.shape else {
        Issue.record(
            "the shape is \(actual.shape), expected \(expected.shape); \(comment ?? "")", sourceLocation: sourceLocation
        )
        return
    }
    let scale = max(1, expected.values.lazy.map(abs).filter(\.isFinite).max() ?? 0)
    var worst = (position: 0, difference: 0.0)
    for (position, (left, right)) in zip(actual.values, expected.values).enumerated() where left != right {
        let difference = left.isNaN && right.isNaN ? 0 : abs(left - right)
        if difference > worst.difference || !difference.isFinite { worst = (position, difference) }
        if !difference.isFinite { break }
    }
    guard !(worst.difference <= tolerance * scale) else { return }
    let index = indices(of: worst.position, in: expected.shape)
    Issue.record(
        """
        element \(index) of \(expected.shape) is \(actual.values[worst.position]), expected \
        \(expected.values[worst.position]); tolerance \(tolerance) of \(scale); \(comment ?? "")
        """, sourceLocation: sourceLocation)
}

/// Expects two tensors of one shape to agree in every element, and names the worst one where they do not.
package func expectClose(
    _ actual: Tensor, _ expected: Tensor, tolerance: Double, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(
        ReferenceArray(actual), ReferenceArray(expected), tolerance: tolerance, comment, sourceLocation: sourceLocation)
}

/// Expects a 32-bit result to agree with the reference's in every element.
package func expectClose(
    _ actual: Tensor, _ expected: ReferenceArray, tolerance: Double, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(ReferenceArray(actual), expected, tolerance: tolerance, comment, sourceLocation: sourceLocation)
}

/// Expects two numbers to agree.
package func expectClose(
    _ actual: Double, _ expected: Double, tolerance: Double, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(
        ReferenceArray(actual), ReferenceArray(expected), tolerance: tolerance, comment, sourceLocation: sourceLocation)
}

/// Compares all elements, the differences relative to the largest expected magnitude.
package func expectClose(
    _ received: [Float], _ expected: [Float], tolerance: Float, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(received.count == expected.count, "\(what)", sourceLocation: sourceLocation)
    let scale = max(expected.map(abs).max() ?? 0, .leastNormalMagnitude)
    for (index, (left, right)) in zip(received, expected).enumerated() where !(abs(left - right) <= tolerance * scale) {
        Issue.record("\(what), element \(index): \(left), expected \(right)", sourceLocation: sourceLocation)
    }
}

/// The index along each axis of a row-major position.
private func indices(of position: Int, in shape: Shape) -> [Int] {
    zip(shape.dimensions, shape.strides).map { size, stride in position / stride % max(size, 1) }
}
