import Foundation
import GraftApplications
import GraftCPU
import GraftGraph
import GraftModel
import Testing

@testable import GraftTraining

/// All networks with guard words around everything that plans write: predictions and a step of training, at many sizes of an
/// image and in both precisions. Kernels that write outside of their memory do so at a few sizes alone.
///
/// By default two sizes of the smallest network; with `GRAFT_ALL=1` all of them, from the smallest size that a network
/// takes to 320 pixels, and a line for each on the standard output. `GRAFT_NETWORKS` names some of the networks.
@Suite(.serialized) struct GuardedNetworkTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let base: Base
        let size: Int
        let precision: ElementType

        var testDescription: String { "\(base.title), \(size) × \(size), \(precision.rawValue)" }
    }

    private static let environment = ProcessInfo.processInfo.environment
    private static let isAll = environment["GRAFT_ALL"] == "1"

    private static let precisions: [ElementType] =
        CPUOptions.supportsBFloat16 ? [.float32, .bfloat16] : [.float32]

    static let cases: [Case] = Base.all.flatMap { base in
        sizes(of: base).flatMap { size in precisions.map { Case(base: base, size: size, precision: $0) } }
    }

    /// From the smallest size that a network takes to 320, in steps of eleven, so that maps of all sizes come up, and the two
    /// at which a map of 6 × 6 does. The others of a family have the same layers in other numbers: three sizes.
    private static func sizes(of base: Base) -> [Int] {
        let wanted = environment["GRAFT_NETWORKS"]?.split(separator: ",").map(String.init)
        if let wanted, !wanted.contains(base.title) { return [] }
        guard isAll else { return base.title == "MobileNetV2" ? [32, 96] : [] }
        let isFirst = Base.all.first { $0.family == base.family }?.id == base.id
        guard isFirst else { return [base.minimumSize, 96, 224] }
        return Array(Set(stride(from: base.minimumSize, through: 320, by: 11)).union([96, 192, 320])).sorted()
            .filter { $0 >= base.minimumSize }
    }

    @Test(arguments: cases) func aNetworkWritesNothingOutside(_ example: Case) throws {
        var options = CPUOptions(threads: 2, precision: example.precision)
        options.guardsMemory = true
        let backend = CPUBackend(options: options)
        let model = try model(example)
        let data = try images(2, size: example.size)
        var training = TrainingOptions(features: .off)
        training.backend = backend
        _ = try model.predict(data, batchSize: 2, options: training)
        model.unfreeze()
        model.setStatistics(.frozen)
        try model.compile(optimizer: RMSprop(learningRate: 1e-5), loss: .binaryCrossentropy)
        let history = try model.fit(data, batchSize: 2, epochs: 1, options: training)
        #expect(history["loss"].count == 1)
        if Self.isAll { print("guarded memory: \(example.testDescription), prediction and training: nothing damaged") }
    }

    private func model(_ example: Case) throws -> Model {
        let base = try example.base.model(
            BaseOptions(includeTop: false, inputShape: [example.size, example.size, 3]))
        // Pocket's features are pooled already.
        let maps = try base.output
        let features = maps.shape.rank == 1 ? maps : try GlobalAveragePooling2D()(maps)
        return try Model(inputs: base.input, outputs: Dense(1, activation: .sigmoid)(features))
    }

    private func images(_ count: Int, size: Int) throws -> ArrayDataset {
        let values = (0..<count * size * size * 3).map { Float($0 &* 2_654_435_761 >> 8 & 255) }
        return try ArrayDataset(
            inputs: Tensor(values, shape: [count, size, size, 3]),
            targets: Tensor((0..<count).map { Float($0 % 2) }, shape: [count]))
    }
}
