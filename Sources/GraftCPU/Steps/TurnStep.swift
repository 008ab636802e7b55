internal import CKernels

/// Turns a convolution's kernel by half a turn and exchanges its inputs and outputs: with it a convolution of the output's
/// gradient gives the input's.
struct TurnStep: Step {
    private let positions: Int
    private let inputs: Int
    private let outputs: Int
    private let source: BufferID
    private let target: BufferID

    var implementation: String { "graft:turn" }

    /// `kernel` is the shape of the convolution's own, in HWIO.
    init(_ kernel: Shape, source: BufferID, target: BufferID) {
        (positions, inputs, outputs) = (kernel[0] * kernel[1], kernel[2], kernel[3])
        (self.source, self.target) = (source, target)
    }

    func run(_ memory: RunMemory) {
        var turn = graft_kernel_turn(
            positions: Int64(positions), inputs: Int64(inputs), outputs: Int64(outputs),
            source: UnsafePointer(memory[source]), target: memory[target])
        graft_turn_kernel(&turn, Int32(memory.threads))
    }
}
