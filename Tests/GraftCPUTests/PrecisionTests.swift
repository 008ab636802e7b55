import GraftCPU
import GraftGraph
import GraftTestSupport
import Testing

/// bfloat16 on the CPU against the reference interpreter, which rounds the same values.
@Suite(.enabled(if: CPUOptions.supportsBFloat16, "this processor has no instructions for bfloat16"))
struct PrecisionTests {
    /// One operation on numbers that both sides round alike: sums differ by 32-bit rounding, which may move a result over
    /// the middle between two bfloat16 numbers, so by one of their steps, at most 2⁻⁷ of the largest.
    @Test(arguments: Set(OperationKind.all).sorted { $0.description < $1.description })
    func eachOperationAgreesWithTheInterpreter(kind: OperationKind) throws {
        for seed in 0..<12 {
            let random = try RandomGraph(seed: UInt64(seed) + 2000, operations: 1, of: [kind])
            let graph = try random.graph.withTypes { _ in seed % 3 == 2 ? .float32 : .bfloat16 }
            try expectAgreement(random, graph, tolerance: 0x1p-7)
        }
    }
}
