import ArgumentParser
import CKernels
import COneDNN
import Graft
import GraftCPU

/// oneDNN's convolutions of InceptionV3 alone: the practical limit of the trunk.
struct ConvolutionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convolutions",
        abstract: "Time every convolution of InceptionV3 up to a cut by itself, bias and activation fused.")

    @OptionGroup var common: CommonOptions

    @Option(help: "Height and width of pictures.")
    var size = 150

    @Option(help: "The layer at which the network is cut off.")
    var cut = "mixed7"

    @Option(help: "float32 or bfloat16.")
    var precision = "float32"

    func run() throws {
        graft_set_thread_count(Int32(common.threads ?? Int(graft_processor_count())))
        let shapes = try convolutions()
        let part = common.seconds / Double(shapes.count)
        var (total, operations, rows) = (0.0, 0.0, [[String: Any]]())
        for (shape, count) in shapes {
            let convolution = try BareConvolution(shape, isBfloat16: precision == "bfloat16")
            let seconds = median(try samples(for: part) { try convolution.run() })
            total += seconds * Double(count)
            operations += shape.operations * Double(count)
            rows.append([
                "shape": "\(shape)", "count": count, "seconds": seconds, "operations": shape.operations,
                "implementation": convolution.implementation,
            ])
        }
        try report([
            "images": common.batchSize, "seconds": total, "operations": operations, "precision": precision,
            "convolutions": rows, "onednn": Int(graft_dnn_version()),
        ])
    }

    /// Each shape once, with how often the network has it, in the network's order.
    private func convolutions() throws -> [(ConvolutionShape, Int)] {
        let base = try InceptionV3(includeTop: false, inputShape: [size, size, 3])
        base.freeze()
        let trunk = try Model(inputs: base.input, outputs: base.layer(named: cut).output)
        let graph = try trunk.lower(batchSize: common.batchSize, training: false).graph.pruned()
        var (order, counts) = ([ConvolutionShape](), [ConvolutionShape: Int]())
        for node in graph.nodes {
            guard case .convolution(.forward(let convolution, _)) = node.operation else { continue }
            let shape = ConvolutionShape(
                convolution: convolution, input: graph.shape(of: node.operands[0]),
                kernel: graph.shape(of: node.operands[1]), output: node.shape)
            if counts[shape] == nil { order.append(shape) }
            counts[shape, default: 0] += 1
        }
        return order.map { ($0, counts[$0] ?? 0) }
    }
}

/// A convolution with all its sizes.
struct ConvolutionShape: Hashable, CustomStringConvertible {
    let convolution: Convolution
    let input: Shape
    let kernel: Shape
    let output: Shape

    /// Multiplications and additions.
    var operations: Double {
        2 * Double(output.elementCount) * Double(kernel[0] * kernel[1] * kernel[2])
    }

    var description: String { "\(input) * \(kernel) -> \(output)" }
}
