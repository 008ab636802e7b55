internal import CKernels

/// Rotates a convolution's weights by 180° and swaps input and output channels: a convolution of the output's gradient with
/// them is the input's gradient.
struct RotateWeightsStep: Step {
    private let positions: Int
    private let inputs: Int
    private let outputs: Int
    private let source: BufferID
    private let target: BufferID

    var implementation: String { "graft:turn" }

    /// `kernel` is the shape of the convolution's own weights, in HWIO.
    init(_ kernel: Shape, source: BufferID, target: BufferID) {
        (positions, inputs, outputs) = (kernel[0] * kernel[1], kernel[2], kernel[3])
        (self.source, self.target) = (source, target)
    }

    func run(_ memory: RunMemory) {
        var rotation = graft_weight_rotation(
            positions: Int64(positions), inputs: Int64(inputs), outputs: Int64(outputs),
            source: UnsafePointer(memory[source]), target: memory[target])
        graft_rotate_weights(&rotation, Int32(memory.threads))
    }
}
