extension Resize: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let source = compiler.shape(compiler.graph[value].operands[0])
        try compiler.addResize(value, weights(source), source: source)
    }
}

extension ResizeGradient: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let source = compiler.shape(compiler.graph[value].operands[0])
        try compiler.addResize(value, weights(source), source: source)
    }
}

extension PlanCompiler {
    fileprivate mutating func addResize(
        _ value: ValueID, _ weights: (rows: ResizeWeights, columns: ResizeWeights), source shape: Shape
    ) throws(GraftError) {
        let (source, result) = (try sources(of: value)[0], self.shape(value))
        try add(value, reads: [source]) { target in
            ResizeStep(
                rows: ResizeTaps(weights.rows), columns: ResizeTaps(weights.columns), shape: shape, result: result,
                source: source, target: target)
        }
    }
}

/// The weights of an axis, one after the other.
private struct ResizeTaps {
    /// By place of the result: the first place of the source.
    let starts: [Int]
    /// By place of the result: where its weights begin; their end behind the last.
    let offsets: [Int]
    let weights: [Float]

    init(_ axis: ResizeWeights) {
        starts = axis.starts
        offsets = axis.weights.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        weights = axis.weights.joined().map { Float($0) }
    }
}

/// Pixels made of weighed pixels; threads divide the rows of the result.
private struct ResizeStep: Step {
    let rows: ResizeTaps
    let columns: ResizeTaps
    /// Of the source.
    let shape: Shape
    let result: Shape
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:resize" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, target) = (memory[source], memory[target])
        let (rowSize, sourceRowSize) = (result[2] * result[3], shape[2] * shape[3])
        try inParallel(rows: result[0] * result[1], ofElements: rowSize, threads: memory.threads) { range in
            for row in range {
                let (image, place) = (row / result[1], row % result[1])
                let line = target + row * rowSize
                line.update(repeating: 0, count: rowSize)
                for tap in rows.offsets[place]..<rows.offsets[place + 1] {
                    let y = image * shape[1] + rows.starts[place] + tap - rows.offsets[place]
                    add(source + y * sourceRowSize, weight: rows.weights[tap], to: line)
                }
            }
        }
    }

    /// Adds a row of the source, resized along its columns, to one of the target.
    private func add(_ source: UnsafePointer<Float>, weight: Float, to line: UnsafeMutablePointer<Float>) {
        let channels = result[3]
        columns.starts.withUnsafeBufferPointer { starts in
            for column in starts.indices {
                let pixel = line + column * channels
                for tap in columns.offsets[column]..<columns.offsets[column + 1] {
                    let share = weight * columns.weights[tap]
                    let other = source + (starts[column] + tap - columns.offsets[column]) * channels
                    for channel in 0..<channels { pixel[channel] += share * other[channel] }
                }
            }
        }
    }
}
