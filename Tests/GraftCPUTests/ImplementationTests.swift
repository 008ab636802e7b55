import COneDNN
import GraftCPU
import GraftTestSupport
import Testing

/// Which of oneDNN's implementations Graft runs, by their names: what is said here of AMX holds where there is none.
@Suite struct ImplementationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let implementations: [String]
        let direction: graft_dnn_direction
        let choice: graft_dnn_choice
        /// `nil` where there is none that Graft runs.
        let expected: String?

        var testDescription: String { "\(implementations.joined(separator: ", ")), choice \(choice.rawValue)" }
    }

    /// In oneDNN's order, for a convolution of 1 × 1 in bfloat16 on a processor with AMX.
    static let forward = [
        "brgconv_1x1:avx512_core_amx", "brgconv:avx512_core_amx", "jit_1x1:avx512_core_amx_bf16",
        "jit:avx512_core_amx_bf16", "brgconv_1x1:avx512_core_bf16", "jit_1x1:avx512_core_bf16", "ref:any",
    ]
    static let withoutAMX = ["brgconv_1x1:avx512_core_bf16", "jit_bf16_1x1:avx512_core_bf16", "ref:any"]
    static let cases = [
        Case(
            implementations: forward, direction: graft_dnn_forward, choice: graft_dnn_first_choice,
            expected: "brgconv_1x1:avx512_core_amx"),
        Case(
            implementations: forward, direction: graft_dnn_forward, choice: graft_dnn_direct_choice,
            expected: "brgconv_1x1:avx512_core_amx"),
        // A row, or three channels: what the direct choice was measured for, and has on AMX as well.
        Case(
            implementations: [forward[1], forward[3], forward[6]], direction: graft_dnn_forward,
            choice: graft_dnn_direct_choice, expected: "jit:avx512_core_amx_bf16"),
        // Where the one that overruns is oneDNN's first.
        Case(
            implementations: Array(forward[2...]), direction: graft_dnn_forward, choice: graft_dnn_first_choice,
            expected: "jit:avx512_core_amx_bf16"),
        // Direct code without AMX is slower than batched products with it.
        Case(
            implementations: [forward[0], forward[2], forward[5]], direction: graft_dnn_forward,
            choice: graft_dnn_direct_choice, expected: "brgconv_1x1:avx512_core_amx"),
        Case(
            implementations: withoutAMX, direction: graft_dnn_forward, choice: graft_dnn_first_choice,
            expected: "brgconv_1x1:avx512_core_bf16"),
        Case(
            implementations: withoutAMX, direction: graft_dnn_forward, choice: graft_dnn_direct_choice,
            expected: "jit_bf16_1x1:avx512_core_bf16"),
        Case(
            implementations: ["brgconv:avx512_core_bf16", "ref:any"], direction: graft_dnn_forward,
            choice: graft_dnn_direct_choice, expected: "brgconv:avx512_core_bf16"),
        Case(
            implementations: ["jit_1x1:avx512_core_amx_bf16"], direction: graft_dnn_forward,
            choice: graft_dnn_first_choice, expected: nil),
    ]

    @Test(arguments: cases)
    func theFirstThatIsSafeAndFastIsTaken(_ example: Case) {
        var taken: String?
        for name in example.implementations
        where graft_dnn_prefers(name, taken, example.direction, example.choice) {
            taken = name
        }
        #expect(taken == example.expected)
    }

    /// The names in oneDNN 2.6 and 3.
    @Test(
        arguments: ["jit_1x1:avx512_core_amx", "jit_1x1:avx512_core_amx_bf16", "jit_1x1:avx512_core_amx_fp16"],
        [graft_dnn_forward, graft_dnn_input_gradient, graft_dnn_kernel_gradient])
    func theOneThatWritesPastItsOutputIsNeverTaken(name: String, direction: graft_dnn_direction) {
        #expect(!graft_dnn_allows(name, direction))
    }

    @Test func whatWasNeverCheckedOnAMXIsNotTaken() {
        for direction in [graft_dnn_forward, graft_dnn_input_gradient, graft_dnn_kernel_gradient] {
            #expect(!graft_dnn_allows("brand_new:avx512_core_amx", direction))
            #expect(graft_dnn_allows("brand_new:avx10", direction))
        }
    }
}

extension graft_dnn_direction: @retroactive @unchecked Sendable {}
extension graft_dnn_choice: @retroactive @unchecked Sendable {}
