import GraftGraph
import GraftModel

/// Examples whose targets are what teachers say of them, computed batch by batch on the very inputs that the student sees.
struct TaughtExamples: Dataset {
    let examples: any Dataset
    let teachers: [Teacher]
    let batchSize: Int
    let options: TrainingOptions

    var count: Int { examples.count }
    var classNames: [String]? { nil }
    var imageRule: ImageRule? { examples.imageRule }
    var computesTargets: Bool { true }

    func batch(_ indices: [Int]) throws -> Batch {
        let batch = try examples.batch(indices)
        guard let own = batch.inputs.first, !batch.indices.isEmpty else {
            return Batch(indices: [], inputs: [], targets: [], failures: batch.failures)
        }
        let answers = try teachers.map { try $0.answers(to: batch.inputs, batchSize: batchSize, options) }
        return Batch(
            indices: batch.indices, inputs: [own], targets: [Tensor.joiningRows(of: answers)], failures: batch.failures)
    }

    /// What the student sees decides about the targets too, but the teachers are not part of it.
    func fingerprint(of index: Int) throws -> String? { try examples.fingerprint(of: index) }

    func name(of index: Int) -> String? { examples.name(of: index) }
}

extension Tensor {
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
