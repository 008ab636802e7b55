import GraftData
import GraftGraph
import GraftModel

/// Examples whose targets are what teachers say of them, computed batch by batch on the very inputs that the student sees.
struct TaughtExamples: Dataset {
    let examples: any Dataset
    let teachers: [Teacher]
    let batchSize: Int
    let options: TrainingOptions
    /// What mixes the examples of a batch before anybody sees them.
    var mixing: BatchMixing?
    /// Where answers are kept for later epochs; `nil` for nowhere.
    var memory: AnswersMemory?
    /// The numbers under which they are kept there.
    var part = AnswersMemory.Part.training

    var count: Int { examples.count }
    /// Where examples are mixed, an epoch's mixtures are views of their own.
    var views: Int { examples.views * (mixing == nil ? 1 : mixedEpochs) }
    var classNames: [String]? { nil }
    var inputRule: InputRule? { examples.inputRule }
    var computesTargets: Bool { true }

    /// For how many times through all views of the examples each is mixed otherwise; all must be countable.
    private var mixedEpochs: Int { max(min(1 << 16, .max / max(examples.numberCount, 1)), 1) }

    func batch(_ numbers: [Int]) throws -> Batch {
        var batch = try examples.batch(numbers.map(own))
        guard !batch.indices.isEmpty, !batch.inputs.isEmpty else {
            return Batch(indices: [], inputs: [], targets: [], failures: batch.failures)
        }
        if let mixing {
            guard batch.inputs.allSatisfy({ $0.elementType != .int32 }) else {
                throw GraftError(
                    .data, "MixUp mixes numbers, and the examples are ids, of int32; distill them without it")
            }
            // Those that can be read, by the numbers under which they were asked for.
            let unread = Set(batch.failures.map(\.index))
            batch.indices = numbers.filter { !unread.contains(own($0)) }
            batch.inputs = mixing.mix(batch.inputs, of: batch.indices, count: count)
        }
        return Batch(
            indices: batch.indices, inputs: [batch.inputs[0]], targets: [try answers(to: batch)],
            failures: batch.failures)
    }

    /// The number among the examples' own views.
    private func own(_ number: Int) -> Int { mixing == nil ? number : number % max(examples.numberCount, 1) }

    /// What all teachers say of a batch, side by side: remembered, or computed now.
    private func answers(to batch: Batch) throws -> Tensor {
        guard let memory else { return try answers(to: batch.inputs) }
        var rows = memory.rows(of: batch.indices, part)
        let missing = rows.indices.filter { rows[$0] == nil }
        if !missing.isEmpty {
            let inputs = missing.count == rows.count ? batch.inputs : batch.inputs.map { $0.rows(missing) }
            let answers = try answers(to: inputs)
            if missing.count == rows.count, !memory.hasRoom(forWidth: answers.shape.last) { return answers }
            for (row, position) in missing.enumerated() {
                let answer = answers.row(row)
                rows[position] = answer
                keep(answer, of: batch.indices[position], in: memory)
            }
        }
        return Tensor(rows: rows.compactMap(\.self))
    }

    /// What the teachers say now.
    private func answers(to inputs: [Tensor]) throws -> Tensor {
        Tensor.joiningRows(of: try teachers.map { try $0.answers(to: inputs, batchSize: batchSize, options) })
    }

    /// One without a fingerprint may be another example the next time.
    private func keep(_ answer: AnswersMemory.Row, of number: Int, in memory: AnswersMemory) {
        guard memory.hasRoom(forWidth: answer.count), (try? examples.fingerprint(of: number)).flatMap(\.self) != nil
        else { return }
        memory.keep(answer, of: number, part)
    }

    /// What the student sees decides about the targets too, but the teachers are not part of it.
    func fingerprint(of number: Int) throws -> String? { try examples.fingerprint(of: own(number)) }

    func name(of number: Int) -> String? { examples.name(of: own(number)) }
}

/// Mixes the examples of a batch in pairs, the same way in each of their sizes, so that the student and its teachers see the
/// same mixture.
struct BatchMixing: Sendable {
    let mixUp: MixUp
    let seed: UInt64

    /// - Parameters:
    ///   - numbers: the numbers of the rows' views.
    ///   - count: the number of examples, so that the view is the epoch.
    func mix(_ inputs: [Tensor], of numbers: [Int], count: Int) -> [Tensor] {
        guard let first = numbers.first, count > 0 else { return inputs }
        let mixing = mixUp.mixing(of: numbers.map { $0 % count }, seed: seed, epoch: first / count)
        return inputs.map { input in
            var mixed = input
            mixing.mix(&mixed)
            return mixed
        }
    }
}

extension Tensor {
    /// A matrix of these rows, which are of one width.
    fileprivate init(rows: [AnswersMemory.Row]) {
        let width = rows.first?.count ?? 0
        self.init(uninitialized: [rows.count, width]) { target in
            for (number, row) in rows.enumerated() {
                _ = target[(number * width)..<((number + 1) * width)].initialize(from: row)
            }
        }
    }

    /// A row of a matrix.
    fileprivate func row(_ number: Int) -> AnswersMemory.Row {
        let width = shape.last
        return withUnsafeBuffer { AnswersMemory.Row($0[(number * width)..<((number + 1) * width)]) }
    }

    /// Matrices of as many rows next to one another.
    static func joiningRows(of matrices: [Tensor]) -> Tensor {
        guard matrices.count > 1 else { return matrices[0] }
        let rows = matrices[0].shape[0]
        let width = matrices.reduce(0) { $0 + $1.shape.last }
        return Tensor(uninitialized: [rows, width]) { target in
            var start = 0
            for matrix in matrices {
                let columns = matrix.shape.last
                matrix.withUnsafeBuffer { source in
                    for row in 0..<rows {
                        let part = source[(row * columns)..<((row + 1) * columns)]
                        let place = row * width + start
                        _ = target[place..<(place + columns)].initialize(from: part)
                    }
                }
                start += columns
            }
        }
    }
}
