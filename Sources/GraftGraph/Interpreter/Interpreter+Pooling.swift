extension Window {
    /// The largest element of each window.
    func maximum(_ input: ReferenceArray, result: Shape) -> ReferenceArray {
        var output = ReferenceArray(repeating: -.infinity, shape: result)
        forEachWindow(input: input.shape, output: result) { o, members in
            for i in members { output.values[o] = max(output.values[o], input.values[i]) }
        }
        return output
    }

    /// Each gradient added to the first largest element of its window.
    func maximumGradient(_ input: ReferenceArray, _ outputGradient: ReferenceArray) -> ReferenceArray {
        var gradient = ReferenceArray(shape: input.shape)
        forEachWindow(input: input.shape, output: outputGradient.shape) { o, members in
            guard var largest = members.first else { return }
            for i in members where input.values[i] > input.values[largest] { largest = i }
            gradient.values[largest] += outputGradient.values[o]
        }
        return gradient
    }

    /// The mean of each window's elements that are not padding.
    func average(_ input: ReferenceArray, result: Shape) -> ReferenceArray {
        var output = ReferenceArray(shape: result)
        forEachWindow(input: input.shape, output: result) { o, members in
            for i in members { output.values[o] += input.values[i] / Double(members.count) }
        }
        return output
    }

    /// Each gradient spread evenly over the elements of its window that are not padding.
    func averageGradient(_ outputGradient: ReferenceArray, input: Shape) -> ReferenceArray {
        var gradient = ReferenceArray(shape: input)
        forEachWindow(input: input, output: outputGradient.shape) { o, members in
            for i in members { gradient.values[i] += outputGradient.values[o] / Double(members.count) }
        }
        return gradient
    }

    /// Visits every window: the position of its output, and those of its input elements that are not padding.
    private func forEachWindow(input: Shape, output: Shape, _ body: (Int, [Int]) -> Void) {
        for n in 0..<output[0] {
            for y in 0..<output[1] {
                for x in 0..<output[2] {
                    let rows = inside(y * strides.height - padding.top, size.height, input[1])
                    let columns = inside(x * strides.width - padding.left, size.width, input[2])
                    for c in 0..<output[3] {
                        let members = rows.flatMap { row in
                            columns.map { ((n * input[1] + row) * input[2] + $0) * input[3] + c }
                        }
                        body(((n * output[1] + y) * output[2] + x) * output[3] + c, members)
                    }
                }
            }
        }
    }

    private func inside(_ start: Int, _ length: Int, _ size: Int) -> Range<Int> {
        (start..<start + length).clamped(to: 0..<size)
    }
}
