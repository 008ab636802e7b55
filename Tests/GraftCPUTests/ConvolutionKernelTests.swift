import CKernels
import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftCPU

/// A convolution whose result is a slice of a wider array.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var input: Shape = [2, 7, 7, 16]
    var kernel = Size2D(3)
    var outputs = 48
    var strides = Size2D(1)
    var dilation = Size2D(1)
    var padding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1)
    var hasBias = true
    var hasRelu = true
    /// Channels of the array in which the result is a slice, and those before it.
    var channelsAround = (before: 3, behind: 5)

    var testDescription: String {
        """
        \(input) * \(kernel) -> \(outputs), strides \(strides), dilation \(dilation), padding \(padding), bias \
        \(hasBias), relu \(hasRelu), around \(channelsAround)
        """
    }

    /// Rows, columns and single pixels, channels that fill panels of two, three and four vectors and such that fill none,
    /// padding on one side alone and more of it than the image, strides, dilation, and tiles of all sizes.
    static let chosen: [ConvolutionCase] = [
        ConvolutionCase(), ConvolutionCase(kernel: Size2D(1), outputs: 64, padding: .none, hasBias: false),
        ConvolutionCase(
            input: [5, 7, 7, 6], kernel: Size2D(1, 7), outputs: 96, padding: EdgePadding(left: 3, right: 3)),
        ConvolutionCase(
            input: [3, 7, 6, 10], kernel: Size2D(7, 1), outputs: 128, padding: EdgePadding(top: 3, bottom: 3),
            hasRelu: false),
        ConvolutionCase(input: [1, 16, 15, 8], outputs: 32, strides: Size2D(2), padding: .none, hasBias: false),
        ConvolutionCase(
            input: [1, 3, 2, 2], kernel: Size2D(5), outputs: 17,
            padding: EdgePadding(top: 4, bottom: 2, left: 2, right: 5)),
        ConvolutionCase(
            input: [2, 9, 8, 4], outputs: 65, dilation: Size2D(2, 3),
            padding: EdgePadding(top: 1, bottom: 3, left: 2, right: 4)),
        ConvolutionCase(input: [13, 2, 2, 2], outputs: 5, strides: Size2D(1, 2), channelsAround: (0, 0)),
    ]

    init(
        input: Shape = [2, 7, 7, 16], kernel: Size2D = Size2D(3), outputs: Int = 48, strides: Size2D = Size2D(1),
        dilation: Size2D = Size2D(1), padding: EdgePadding = EdgePadding(top: 1, bottom: 1, left: 1, right: 1),
        hasBias: Bool = true, hasRelu: Bool = true, channelsAround: (before: Int, behind: Int) = (3, 5)
    ) {
        (self.input, self.kernel, self.outputs, self.strides) = (input, kernel, outputs, strides)
        (self.dilation, self.padding, self.hasBias, self.hasRelu) = (dilation, padding, hasBias, hasRelu)
        self.channelsAround = channelsAround
    }

    init(_ random: inout SplitMix) {
        kernel = Size2D(random.size(1...4), random.size(1...4))
        dilation = Size2D(random.size(1...2), random.size(1...2))
        strides = Size2D(random.size(1...3), random.size(1...3))
        padding = EdgePadding(
            top: random.size(0...3), bottom: random.size(0...3), left: random.size(0...3), right: random.size(0...3))
        let least = Size2D(
            max(1, dilation.height * (kernel.height - 1) + 1 - padding.top - padding.bottom),
            max(1, dilation.width * (kernel.width - 1) + 1 - padding.left - padding.right))
        input = [
            random.size(1...5), least.height + random.size(0...6), least.width + random.size(0...6),
            2 * random.size(1...9),
        ]
        outputs = random.chance(0.5) ? 16 * random.size(1...9) : random.size(1...150)
        (hasBias, hasRelu) = (random.chance(0.5), random.chance(0.5))
        channelsAround = (random.size(0...20), random.size(0...20))
    }

    var output: Shape {
        func count(_ size: Int, _ before: Int, _ after: Int, _ kernel: Int, _ dilation: Int, _ stride: Int) -> Int {
            (size + before + after - dilation * (kernel - 1) - 1) / stride + 1
        }
        return [
            input[0],
            count(input[1], padding.top, padding.bottom, kernel.height, dilation.height, strides.height),
            count(input[2], padding.left, padding.right, kernel.width, dilation.width, strides.width), outputs,
        ]
    }

    /// An input, a kernel and a bias of numbers that bfloat16 holds. An image does not depend on those behind it.
    var arrays: (x: ReferenceArray, w: ReferenceArray, b: ReferenceArray) {
        func halved(_ array: ReferenceArray) -> ReferenceArray {
            let values = array.values.map { Double(Float(bitPattern: Float($0).bitPattern & 0xffff_0000)) }
            return ReferenceArray(values, shape: array.shape)
        }
        var (pixels, weights) = (SplitMix(seed: 1), SplitMix(seed: 2))
        let kernel: Shape = [kernel.height, kernel.width, input[3], outputs]
        return (halved(pixels.array(input)), halved(weights.array(kernel)), weights.array([outputs]))
    }

    /// `relu(x * w + b)`, each part where the case has it.
    func expected() throws -> ReferenceArray {
        let (x, w, b) = arrays
        var graph = Graph()
        var y = try graph.convolution(
            graph.input("x", input), kernel: graph.input("w", w.shape),
            Convolution(strides: strides, dilation: dilation, padding: padding))
        if hasBias { y = try graph.binary(.add, y, graph.input("b", [outputs])) }
        if hasRelu { y = try graph.unary(.relu, y) }
        graph.outputs = [y]
        let inputs = hasBias ? ["x": x, "w": w, "b": b] : ["x": x, "w": w]
        return try Interpreter.run(graph, inputs: inputs, variables: [:], randomKey: 0).outputs[0]
    }

    func description() -> graft_convolution {
        let geometry = ConvolutionGeometry(
            convolution: Convolution(strides: strides, dilation: dilation, padding: padding), input: input,
            kernel: [kernel.height, kernel.width, input[3], outputs], output: output)
        return graft_convolution(
            geometry: geometry.sizes,
            output_pixel_stride: Int64(channelsAround.before + outputs + channelsAround.behind),
            relu: hasRelu, input: nil, kernel: nil,
            bias: nil, output: nil)
    }
}

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Graft's convolution kernel for all sizes, called by itself, against the reference interpreter.
    @Suite struct ConvolutionKernelTests {
        static let instructionSets = 0..<Int(graft_instruction_set_count())

        /// What stands around the slice before and must stand there afterwards.
        private static let around: Float = 7

        /// The whole array of which the result is a slice.
        private func run(
            _ example: ConvolutionCase, kernel given: ReferenceArray? = nil, threads: Int
        ) -> [Float] {
            let (x, w, b) = example.arrays
            var convolution = example.description()
            var kernel = [Float](repeating: 0, count: graft_convolution_kernel_size(&convolution) / 4)
            (given ?? w).values.map { Float($0) }.withUnsafeBufferPointer { plain in
                kernel.withUnsafeMutableBufferPointer {
                    graft_pack_convolution_kernel(&convolution, plain.baseAddress, $0.baseAddress)
                }
            }
            let pixels = Int(example.output.elementCount / example.outputs * Int(convolution.output_pixel_stride))
            var output = [Float](repeating: Self.around, count: pixels)
            x.values.map { Float($0) }.withUnsafeBufferPointer { input in
                kernel.withUnsafeBufferPointer { kernel in
                    b.values.map { Float($0) }.withUnsafeBufferPointer { bias in
                        output.withUnsafeMutableBufferPointer { output in
                            convolution.input = input.baseAddress
                            convolution.kernel = kernel.baseAddress
                            convolution.bias = example.hasBias ? bias.baseAddress : nil
                            convolution.output = output.baseAddress?.advanced(by: example.channelsAround.before)
                            graft_run_convolution(&convolution, Int32(threads))
                        }
                    }
                }
            }
            return output
        }

        /// Sums in 32 bits of some hundred products each, whose inputs both sides hold exactly: some 10⁻⁶ of the largest sum.
        private func agrees(_ example: ConvolutionCase, threads: Int) throws {
            let whole = run(example, threads: threads)
            let expected = try example.expected()
            let (before, behind) = example.channelsAround
            let stride = before + example.outputs + behind
            var slice: [Double] = []
            for (position, number) in whole.enumerated() {
                if (before..<before + example.outputs).contains(position % stride) {
                    slice.append(Double(number))
                } else if number != Self.around {
                    Issue.record("\(number) was written beside the slice, at \(position), by \(example)")
                    return
                }
            }
            expectClose(
                ReferenceArray(slice, shape: example.output), expected, tolerance: 1e-5,
                "\(threads) threads, \(example)")
        }

        @Test(arguments: ConvolutionCase.chosen, instructionSets)
        func chosenSizesAgreeWithTheInterpreter(_ example: ConvolutionCase, instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            try agrees(example, threads: 2)
        }

        @Test(arguments: instructionSets)
        func randomSizesAgreeWithTheInterpreter(instructionSet: Int) throws {
            graft_use_instruction_set(Int32(instructionSet))
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            for seed in 0..<60 {
                var random = SplitMix(seed: UInt64(seed) + 90_000)
                let example = ConvolutionCase(&random)
                try agrees(example, threads: random.size(1...3))
            }
        }

        /// Nor on the tile that a pixel happens to be in.
        @Test(arguments: ConvolutionCase.chosen)
        func noBitDependsOnThreadsOrOnTheBatchThatAnImageIsIn(_ example: ConvolutionCase) {
            let one = run(example, threads: 1)
            for threads in [2, 3, 7] {
                #expect(run(example, threads: threads) == one)
            }
            var alone = example
            alone.input = Shape([1] + example.input.dimensions.dropFirst())
            let image = run(alone, threads: 2)
            #expect(Array(one.prefix(image.count)) == image)
        }

        /// What the padding would be multiplied with may be infinite: a window that does not see it stays finite.
        @Test func paddingIsLeftOut() {
            let example = ConvolutionCase(hasRelu: false, channelsAround: (0, 0))
            var kernel = example.arrays.w
            // The upper row of the kernel, which the first row of the output sees nothing of.
            for position in 0..<3 * example.input[3] * example.outputs { kernel.values[position] = .infinity }
            let result = run(example, kernel: kernel, threads: 2)
            let row = example.output[2] * example.outputs
            for (position, number) in result.enumerated() {
                let isFirst = position / row % example.output[1] == 0
                #expect(number.isFinite == isFirst, "element \(position) is \(number)")
            }
        }
    }
}
