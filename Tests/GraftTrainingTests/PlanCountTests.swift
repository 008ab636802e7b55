import Allocations
import CKernels
import GraftApplications
import GraftCPU
import GraftGraph
import GraftModel
import Testing

@testable import GraftFeatures
@testable import GraftTraining

/// What the plans of the tutorial consist of. Times move with the machine's mood, these numbers do not: a change that adds
/// a copy, a reorder or an allocation to a step fails here. They are bounds, because oneDNN wants fewer kernels packed on
/// some processors; where a change makes them smaller, or has a reason to make them larger, the new ones belong into the
/// same commit. `Documentation/Measuring.md` explains them.
@Suite struct PlanCountTests {
    /// InceptionV3 at 150×150 cut at `mixed7`, frozen, with the tutorial's head; weights drawn at random, as numbers play
    /// no part here.
    private static func tutorial(size: Int = 150, cut: String = "mixed7", hidden: Int = 1024) throws -> Model {
        let base = try InceptionV3(includeTop: false, inputShape: [size, size, 3])
        base.freeze()
        let features = try Flatten()(base.layer(named: cut).output)
        let answer = try Dense(1, activation: .sigmoid)(Dropout(0.2)(Dense(hidden, activation: .relu)(features)))
        return try Model(inputs: base.input, outputs: answer)
    }

    private static func parts(_ model: Model, batchSize: Int) throws -> (TrainedModel, ModelParts) {
        let trained = try TrainedModel(model, mayKeepTrunk: true)
        return (trained, try trained.parts(batchSize: batchSize, training: true))
    }

    private static func step(_ model: Model, batchSize: Int) throws -> StepProgram {
        let (trained, parts) = try parts(model, batchSize: batchSize)
        let compilation = Compilation(
            optimizer: RMSprop(learningRate: 1e-4),
            objective: Objective([(name: "output", loss: .binaryCrossentropy, weight: 1)]),
            metrics: [OutputMetric(key: "accuracy", output: 0, .accuracy)])
        return try StepProgram.training(parts, trained.trainable, compilation, targetShapes: [[]])
    }

    // MARK: Plans

    /// All branches of mixed0 to mixed7 end in their place, where Graft's kernel for all convolutions is as fast: in float32 with
    /// AVX-512. Otherwise what oneDNN computes of them is copied.
    private static func expectConcatenationsInPlace(_ report: PlanReport, isBfloat16: Bool) throws {
        guard !isBfloat16, graft_convolution_is_fast() else {
            #expect(report.copies <= 8, "one concatenation for each of mixed0 to mixed7, and nothing else")
            #expect(report.concatenatedInPlace >= 14, "poolings, and the 3 × 3 and 5 × 5 of mixed0 to mixed2")
            #expect(report.copiedByteCount <= (isBfloat16 ? 8_551_680 : 14_845_440), "of 17.6 or 32 MB")
            #expect(report.steps <= 89, "70 convolutions, 10 poolings, 8 concatenations, the preprocessing")
            #expect(report.primitives <= 114, "the other 57 convolutions and the packing of their kernels")
            return
        }
        let own = 33
        #expect(report.implementations["graft:convolution"] == own)
        #expect(report.copies == 0)
        #expect(report.copiedByteCount == 0)
        #expect(report.concatenatedInPlace == 31, "four branches of each of mixed0 to mixed7, but three of mixed3")
        #expect(report.steps <= 81, "70 convolutions, 10 poolings, the preprocessing")
        #expect(report.primitives <= 2 * (57 - own), "each of the others and the packing of its kernel")
    }

    @Test func theTrunkIsItsConvolutionsPoolingsAndConcatenations() throws {
        let graph = try #require(try Self.parts(Self.tutorial(), batchSize: 20).1.trunk)
        let report = try CPUPlan(graph, options: CPUOptions(threads: 2)).report
        #expect(report.reorders == 0, "activations stay NHWC from the pixels to the features")
        try Self.expectConcatenationsInPlace(report, isBfloat16: false)
        #expect(report.implementations["graft:winograd"] == 13, "ten convolutions of 3 × 3, three of 5 × 5")
        #expect(report.implementations["graft:pooling+relu"] == 7, "average pooling behind its convolution")
        #expect(report.arenaByteCount <= 39_813_120, "of 213 MB of values, 38 MiB are alive at once")
        #expect(
            report.packedByteCount <= 46_962_816,
            "the base's weights once, packed; up to seven times as large at the points of Winograd's filtering")
    }

    @Test(.enabled(if: CPUOptions.supportsBFloat16))
    func theTrunkInBfloat16HasNoReorderAndHalfTheMemory() throws {
        let graph = try #require(try Self.parts(Self.tutorial(), batchSize: 20).1.trunk)
        let report = try CPUPlan(graph, options: CPUOptions(threads: 2, precision: .bfloat16)).report
        #expect(report.reorders == 0, "no conversion inside the trunk: the preprocessing writes bfloat16")
        try Self.expectConcatenationsInPlace(report, isBfloat16: true)
        #expect(report.implementations["graft:winograd"] == 13, "those of float32")
        #expect(report.arenaByteCount <= 19_906_560)
        #expect(
            report.packedByteCount <= 30_995_904,
            "each weight in two bytes, in 32 bits at the points; AMX pads channels")
    }

    @Test func aStepOfTheHeadIsFewPassesOverItsWeights() throws {
        let program = try Self.step(Self.tutorial(), batchSize: 20)
        let report = try CPUPlan(program.graph, options: CPUOptions(threads: 2)).report
        #expect(report.fusedGradients >= 1, "the hidden layer's gradient never stands in memory")
        #expect(report.updatesInPlace == 8, "kernel and bias of two layers, an optimizer's array each")
        #expect(report.lazyUpdates == 1, "rows of the hidden layer that meet nothing but zeros wait")
        #expect(report.reorders == 0)
        #expect(report.copies == 0)
        #expect(report.steps <= 24)
        #expect(report.primitives <= 4, "the products that are no thin ones")
        #expect(report.arenaByteCount <= 331_904, "activations of one batch: nothing as large as the weights")
    }

    @Test func aStepOfFineTuningHasNoCopyItCouldSpare() throws {
        let model = try Self.tutorial()
        try model.unfreeze(from: "mixed5")
        let program = try Self.step(model, batchSize: 20)
        let report = try CPUPlan(program.graph, options: CPUOptions(threads: 2)).report
        #expect(report.fusedGradients >= 21, "those of the hidden layer and of all twenty convolutions")
        #expect(report.fusedInputGradients == 1, "the hidden layer's kernel is read once for both")
        #expect(
            report.reorders <= 36, "kernels that train are packed at each step, forward and for their input's gradient")
        #expect(report.copies <= 10, "concatenations, and slices for their gradients")
        #expect(report.primitives <= 75)
        #expect(report.updatesInPlace == 128, "64 variables, an optimizer's array each")
        #expect(report.arenaByteCount <= 60_240_384, "of 189 MB of values")
    }

    // MARK: Allocations

    /// What a run asks the allocator for once the plan has run before.
    private static func allocations(
        inWarmRunOf graph: Graph, _ values: [VariableID: Tensor], _ inputs: [String: Tensor]
    ) throws -> allocation_counts {
        let plan = try CPUPlan(graph, options: CPUOptions(threads: 2))
        try plan.bind(values)
        // By another thread, in a run of `fit`.
        let feed = try plan.feed(inputs.mapValues { .dense($0) })
        for _ in 0..<2 { _ = try plan.run(feed) }
        let before = allocations_so_far()
        let outputs = try plan.run(feed)
        let after = allocations_so_far()
        #expect(!outputs.isEmpty)
        return allocation_counts(
            calls: after.calls - before.calls, large_calls: after.large_calls - before.large_calls,
            large_bytes: after.large_bytes - before.large_bytes)
    }

    /// Zeros for what a graph reads.
    private static func inputs(of graph: Graph) -> [String: Tensor] {
        var inputs: [String: Tensor] = [:]
        for node in graph.nodes {
            if case .leaf(.input(let name, let shape)) = node.operation { inputs[name] = Tensor(zeros: shape) }
        }
        return inputs
    }

    @Test(.enabled(if: allocations_are_counted()))
    func aWarmRunOfTheTrunkAllocatesNothingLargeButItsFeatures() throws {
        let parts = try Self.parts(Self.tutorial(size: 75, hidden: 8), batchSize: 4).1
        let graph = try #require(parts.trunk)
        let counts = try Self.allocations(
            inWarmRunOf: graph, parts.values(readBy: graph), Self.inputs(of: graph))
        #expect(counts.large_calls == 1, "the features that are given back")
        #expect(counts.large_bytes <= 4 * 3 * 3 * 768 * 4 + 256)
        // Some 14 for each of the 33 convolutions that are Graft's own with AVX-512.
        let most = graft_convolution_is_fast() ? 3_200 : 3_200 + 33 * 14
        #expect(counts.calls <= most, "oneDNN describes each array to each of its primitives anew")
    }

    @Test(.enabled(if: allocations_are_counted()))
    func aWarmStepOfTheHeadAllocatesNothingLarge() throws {
        let program = try Self.step(Self.tutorial(size: 75, hidden: 256), batchSize: 4)
        var values = program.variables.mapValues(\.value)
        for (id, slot) in program.slots { values[id] = Tensor(zeros: slot.variable.shape) }
        let counts = try Self.allocations(inWarmRunOf: program.graph, values, Self.inputs(of: program.graph))
        #expect(counts.large_calls == 0, "everything that is as large as the weights is there already")
        #expect(counts.calls <= 250, "169 small objects: oneDNN's, and the outputs")
    }
}
