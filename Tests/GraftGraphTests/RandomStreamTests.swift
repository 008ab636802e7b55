import GraftGraph
import Testing

@Suite struct RandomStreamTests {
    /// Known answers of Random123's `kat_vectors` for philox4x32-10: counter, key, result.
    @Test(
        arguments: [
            ([0, 0, 0, 0], [0, 0], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
            (
                [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [0xFFFF_FFFF, 0xFFFF_FFFF],
                [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
            ),
            (
                [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], [0xA409_3822, 0x299F_31D0],
                [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
            ),
        ] as [([UInt32], [UInt32], [UInt32])])
    func wordsAreThoseOfPhilox(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
        func joined(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }
        let stream = RandomStream(key: joined(key[0], key[1]), stream: joined(counter[2], counter[3]))
        let words = stream.words(block: joined(counter[0], counter[1]))
        #expect([words.0, words.1, words.2, words.3] == expected)
    }

    @Test func numbersAreTheUpperBitsOfTheWordsInOrder() {
        let stream = RandomStream(key: 5, stream: 6)
        let words = stream.words(block: 2)
        let expected = [words.0, words.1, words.2, words.3].map { Float($0 >> 8) / 16_777_216 }
        #expect((8..<12).map(stream.uniform(at:)) == expected)
    }

    @Test func numbersAreUniform() {
        let stream = RandomStream(key: 1, stream: 2)
        let numbers = (0..<40_000).map { Double(stream.uniform(at: $0)) }
        #expect(numbers.allSatisfy { (0..<1).contains($0) })
        let mean = numbers.reduce(0, +) / 40_000
        let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000
        // Five standard deviations of the estimates.
        #expect(abs(mean - 0.5) < 5 * 0.289 / 200)
        #expect(abs(variance - 1.0 / 12) < 5 * 0.0745 / 200)
    }

    @Test func streamsAndKeysDiffer() {
        let first = RandomStream(key: 1, stream: 1).uniform(at: 0)
        #expect(first != RandomStream(key: 2, stream: 1).uniform(at: 0))
        #expect(first != RandomStream(key: 1, stream: 2).uniform(at: 0))
    }
}
