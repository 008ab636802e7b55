import GraftGraph
import GraftModel

/// Examples whose targets are what teachers say of them, computed batch by batch on the very inputs that the student sees.
struct TaughtExamples: Dataset {
    let examples: any Dataset
    let teachers: [Teacher]
    let batchSize: Int
    let options: TrainingOptions
    /// Where answers are kept for later epochs; `nil` for nowhere.
    var memory: AnswersMemory?
    /// The numbers under which they are kept there.
    var part = AnswersMemory.Part.training

    var count: Int { examples.count }
    var classNames: [String]? { nil }
    var imageRule: ImageRule? { examples.imageRule }
    var computesTargets: Bool { true }

    func batch(_ indices: [Int]) throws -> Batch {
        let batch = try examples.batch(indices)
        guard let own = batch.inputs.first, !batch.indices.isEmpty else {
            return Batch(indices: [], inputs: [], targets: [], failures: batch.failures)
        }
        return Batch(
            indices: batch.indices, inputs: [own], targets: [try answers(to: batch)], failures: batch.failures)
    }

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
    func fingerprint(of index: Int) throws -> String? { try examples.fingerprint(of: index) }

    func name(of index: Int) -> String? { examples.name(of: index) }
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

    /// Matrices of as many rows beside one another.
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
