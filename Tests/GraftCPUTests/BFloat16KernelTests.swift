import CKernels
import GraftGraph
import GraftTestSupport
import Testing

// Within that suite because the instruction set is chosen for the whole process: one test at a time.
extension InstructionSetTests {
    /// Graft's own kernels on bfloat16, on every instruction set: they need no instructions for it.
    @Suite struct BFloat16KernelTests {
        /// 8 · 16 channels at once, then 2 · 16, then 16, then the rest.
        private static let channels = 8 * 16 + 2 * 16 + 16 + 5

        private func onEachInstructionSet(_ body: () throws -> Void) rethrows {
            defer { graft_use_instruction_set(graft_instruction_set_count() - 1) }
            for index in 0..<graft_instruction_set_count() {
                graft_use_instruction_set(index)
                try body()
            }
        }

        /// The upper half of a number that is one of bfloat16.
        private func half(_ number: Float) -> UInt16 { UInt16(truncatingIfNeeded: number.bitPattern >> 16) }

        private func number(_ half: UInt16) -> Float { Float(bitPattern: UInt32(half) << 16) }

        /// Numbers of both signs with exponents of all sizes.
        private func halves(_ count: Int) -> [UInt16] {
            var random = SplitMix(seed: 11)
            return (0..<count).map { _ in half(Float(random.number()) * (random.chance(0.2) ? 1e20 : 1)) }
        }

        private static let window = graft_pooling(
            batch: 2, channels: Int64(channels), input_height: 5, input_width: 4, output_height: 3, output_width: 2,
            window_height: 3, window_width: 3, stride_height: 2, stride_width: 2, padding_top: 1, padding_left: 0,
            output_pixel_stride: Int64(channels), is_bfloat16: true, relu: false)

        /// What a window of the pooling covers, for each element of the result.
        private func windows(_ input: [UInt16]) -> [[Float]] {
            let c = Self.channels
            var windows: [[Float]] = []
            for n in 0..<2 {
                for row in 0..<3 {
                    for column in 0..<2 {
                        for channel in 0..<c {
                            let rows = (max(0, 2 * row - 1)..<min(5, 2 * row + 2))
                            let columns = (2 * column..<min(4, 2 * column + 3))
                            windows.append(
                                rows.flatMap { y in
                                    columns.map { number(input[((n * 5 + y) * 4 + $0) * c + channel]) }
                                })
                        }
                    }
                }
            }
            return windows
        }

        private func pool(
            _ input: [UInt16],
            _ kernel: (UnsafePointer<graft_pooling>, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
        ) -> [Float] {
            var output = [UInt16](repeating: 0, count: 2 * 3 * 2 * Self.channels)
            var pooling = Self.window
            input.withUnsafeBytes { input in
                output.withUnsafeMutableBytes { output in
                    guard let input = input.baseAddress, let output = output.baseAddress else { return }
                    kernel(&pooling, input, output)
                }
            }
            return output.map(number)
        }

        @Test func theLargestOfAWindowIsExact() {
            let input = halves(2 * 5 * 4 * Self.channels)
            let expected = windows(input).map { $0.max() ?? 0 }
            onEachInstructionSet {
                #expect(pool(input) { graft_maximum_pooling($0, $1, $2, 2) } == expected)
            }
        }

        @Test func whatIsNoNumberWinsWhateverItsSign() {
            var input = halves(2 * 5 * 4 * Self.channels)
            for (position, strange) in [(7, 0x7fc0), (1000, 0xffc0), (2000, 0xff81)] as [(Int, UInt16)] {
                input[position] = strange
            }
            let expected = windows(input).map { $0.contains(where: \.isNaN) }
            onEachInstructionSet {
                #expect(pool(input) { graft_maximum_pooling($0, $1, $2, 1) }.map(\.isNaN) == expected)
            }
        }

        /// Sums of at most nine numbers in 32 bits are off by 2⁻²¹ of the largest, the result by half a step of 2⁻⁷.
        @Test func theMeanOfAWindowIsRoundedOnce() {
            let input = halves(2 * 5 * 4 * Self.channels)
            let windows = windows(input)
            onEachInstructionSet {
                let means = pool(input) { graft_average_pooling($0, $1, $2, 2) }
                for (position, (mean, window)) in zip(means, windows).enumerated() {
                    let exact = window.reduce(0) { $0 + Double($1) } / Double(window.count)
                    let largest = window.map { Double(abs($0)) }.max() ?? 0
                    #expect(abs(Double(mean) - exact) <= 0x1p-8 * abs(exact) + 0x1p-20 * largest, "element \(position)")
                }
            }
        }
    }
}
