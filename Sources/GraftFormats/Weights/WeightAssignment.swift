import Dispatch
import GraftModel
import Synchronization

/// An array in a file that was looked at and not read.
struct StoredArray: Sendable {
    /// The shape that it has once it is read.
    let shape: Shape
    /// Reads it.
    let read: @Sendable () throws(GraftError) -> Tensor
}

/// Arrays of a file matched with the variables of a model: checked whole, then read whole, then assigned, so that a
/// failure on the way leaves the model as it was.
struct WeightAssignment {
    /// One array and where it goes.
    struct Pair {
        let variable: Variable
        let array: StoredArray
    }

    private(set) var report: WeightReport
    private var pairs: [Pair] = []
    private var problems: [String] = []

    init(path: String) { report = WeightReport(path: path) }

    /// Matches a layer's variables with so many datasets, in order, each opened where they are as many; what does not fit is
    /// remembered for ``finish()``.
    mutating func match(
        _ variables: [Variable], count: Int, layer: String, storedAs stored: String,
        dataset: (Int) throws(GraftError) -> HDF5Dataset
    ) throws(GraftError) {
        guard checkCount(of: variables, count, layer: layer, storedAs: stored) else { return }
        var arrays: [StoredArray] = []
        for index in 0..<count {
            let dataset = try dataset(index)
            arrays.append(StoredArray(shape: dataset.shape) { () throws(GraftError) in try dataset.tensor() })
        }
        match(variables, with: arrays, layer: layer, storedAs: stored)
    }

    /// Matches a layer's variables with stored arrays, in order; what does not fit is remembered for ``finish()``.
    mutating func match(
        _ variables: [Variable], with arrays: [StoredArray], layer: String, storedAs stored: String
    ) {
        guard checkCount(of: variables, arrays.count, layer: layer, storedAs: stored) else { return }
        let names = Self.names(layer, stored)
        for (variable, array) in zip(variables, arrays) where variable.shape != array.shape {
            problems.append(
                "\(names): \(variable.name) has the shape \(variable.shape), the file's has \(array.shape)")
        }
        pairs += zip(variables, arrays).map { Pair(variable: $0, array: $1) }
        report.layers.append(
            WeightReport.LayerEntry(
                layer: layer, storedAs: stored, arrayCount: variables.count,
                parameterCount: variables.reduce(0) { $0 + $1.shape.elementCount }))
    }

    private static func names(_ layer: String, _ stored: String) -> String {
        layer == stored ? "layer \(layer)" : "layer \(layer) (\(stored) in the file)"
    }

    private mutating func checkCount(
        of variables: [Variable], _ count: Int, layer: String, storedAs stored: String
    ) -> Bool {
        guard variables.count != count else { return true }
        let expected = variables.map(\.name).joined(separator: ", ")
        problems.append(
            "\(Self.names(layer, stored)) has \(variables.count) arrays (\(expected)), the file has \(count) for it")
        return false
    }

    /// Remembers something that is worth knowing and no mistake.
    mutating func note(_ note: String) { report.notes.append(note) }

    /// Remembers something that does not fit.
    mutating func addProblem(_ problem: String) { problems.append(problem) }

    /// Throws where anything did not fit, reads everything, and assigns it.
    ///
    /// - Throws: `.weights` with up to five misfits and the number of the others; `.format` where the file is damaged.
    func finish() throws(GraftError) -> WeightReport {
        guard problems.isEmpty else {
            let shown = problems.prefix(5).joined(separator: "; ")
            let more = problems.count > 5 ? "; and \(problems.count - 5) more" : ""
            throw GraftError(
                .weights, "the weights in \(report.path) do not fit this model, nothing was loaded: \(shown)\(more)")
        }
        let tensors = try readAll()
        for (pair, tensor) in zip(pairs, tensors) { try pair.variable.assign(tensor) }
        return report
    }

    /// The arrays' numbers, in order, read by all processors: most of the time goes into new memory for them.
    private func readAll() throws(GraftError) -> [Tensor] {
        let arrays = pairs.map(\.array)
        let results = Mutex([Result<Tensor, GraftError>?](repeating: nil, count: arrays.count))
        DispatchQueue.concurrentPerform(iterations: arrays.count) { index in
            let result = Result { () throws(GraftError) in try arrays[index].read() }
            results.withLock { $0[index] = result }
        }
        var tensors: [Tensor] = []
        for result in results.withLock({ $0 }) { if let result { try tensors.append(result.get()) } }
        return tensors
    }
}
