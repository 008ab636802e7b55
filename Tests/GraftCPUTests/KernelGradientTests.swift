import GraftTestSupport
import Testing

@testable import GraftCPU

/// Kernel gradients that threads share, in slices of the output's channels and parts of the batch.
@Suite struct KernelGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let input: Shape
        let kernel: Shape
        var strides = 1
        var threads = 2
        /// How it is shared.
        let split: KernelGradientSplit

        var testDescription: String { "input \(input), kernel \(kernel), strides \(strides), \(threads) threads" }

        var geometry: ConvolutionGeometry {
            let padding = EdgePadding(
                top: kernel[0] / 2, bottom: kernel[0] / 2, left: kernel[1] / 2, right: kernel[1] / 2)
            let convolution = Convolution(strides: Size2D(strides), padding: padding)
            let output: Shape = [input[0], (input[1] - 1) / strides + 1, (input[2] - 1) / strides + 1, kernel[3]]
            return ConvolutionGeometry(
                convolution: convolution, input: input, kernel: kernel, output: output,
                types: ConvolutionTypes(input: .bfloat16, output: .bfloat16))
        }
    }

    static let cases = [
        Case(input: [8, 7, 7, 192], kernel: [1, 7, 192, 192], split: .init(slices: 2, batchParts: 1)),
        Case(input: [8, 8, 8, 64], kernel: [3, 3, 64, 320], threads: 3, split: .init(slices: 3, batchParts: 1)),
        // What is left of the channels fills no block.
        Case(input: [4, 9, 9, 40], kernel: [3, 3, 40, 72], split: .init(slices: 2, batchParts: 1)),
        // One block of channels: the batch.
        Case(input: [4, 40, 40, 16], kernel: [3, 3, 16, 16], split: .init(slices: 1, batchParts: 2)),
        // Both.
        Case(input: [2, 40, 40, 64], kernel: [3, 3, 64, 32], threads: 4, split: .init(slices: 2, batchParts: 2)),
        Case(
            input: [3, 40, 40, 32], kernel: [3, 3, 32, 32], strides: 2, threads: 2,
            split: .init(slices: 2, batchParts: 1)),
        // Too little for two threads.
        Case(input: [2, 2, 2, 16], kernel: [1, 1, 16, 32], split: .none),
        Case(input: [8, 16, 16, 96], kernel: [3, 3, 96, 96], threads: 1, split: .none),
    ]

    @Test(arguments: cases) func itIsSharedAsSizesSay(_ example: Case) {
        let split = KernelGradientSplit(example.geometry, threads: example.threads)
        #expect(split == example.split)
        #expect(split.slices * split.batchParts <= example.threads)
    }

    @Test(arguments: [1, 15, 16, 17, 48, 96, 100, 320], [1, 2, 3, 7])
    func slicesTakeEveryChannelOnce(channels: Int, threads: Int) {
        let geometry = Case(input: [1, 9, 9, 16], kernel: [3, 3, 16, channels], split: .none).geometry
        let slices = KernelGradientSplit(slices: min(threads, (channels + 15) / 16), batchParts: 1).channels(geometry)
        #expect(slices.flatMap { Array($0) } == Array(0..<channels))
        #expect(slices.allSatisfy { !$0.isEmpty })
    }

    /// Small integers, whose sums are exact in 32 bits whatever their order: the gradient is that of float32 to the bit,
    /// which other kernels compute.
    @Test(
        .enabled(if: CPUOptions.supportsBFloat16, "this processor has no instructions for bfloat16"),
        arguments: cases, [false, true])
    func sharedGradientsAreExact(_ example: Case, guardsMemory: Bool) throws {
        let geometry = example.geometry
        var random = SplitMix(seed: 1)
        func integers(_ shape: Shape) -> Tensor {
            Tensor((0..<shape.elementCount).map { _ in Float(Int(random.next() % 5) - 2) }, shape: shape)
        }
        var graph = Graph()
        let x = try graph.input("x", geometry.input)
        let weights = try graph.input("weights", geometry.output)
        let kernel = try graph.variable(VariableID(0), geometry.kernel)
        let y = try graph.convolution(x, kernel: kernel, geometry.convolution)
        let loss = try graph.reduce(.sum, graph.binary(.multiply, y, weights))
        graph.outputs = try graph.gradients(of: loss, withRespectTo: [kernel])
        let inputs = ["x": integers(geometry.input), "weights": integers(geometry.output)]
        let variables = [VariableID(0): integers(geometry.kernel)]
        func gradients(_ options: CPUOptions, runs: Int) throws -> [Tensor] {
            let plan = try CPUPlan(graph, options: options)
            try plan.bind(variables)
            return try (0..<runs).map { _ in try plan.run(inputs)[0] }
        }
        let expected = try gradients(CPUOptions(threads: 1), runs: 1)[0]
        #expect(expected.scalars.contains { $0 != 0 })
        var options = CPUOptions(threads: example.threads, precision: .bfloat16)
        options.guardsMemory = guardsMemory
        for gradient in try gradients(options, runs: 3) { #expect(gradient == expected) }
    }
}
