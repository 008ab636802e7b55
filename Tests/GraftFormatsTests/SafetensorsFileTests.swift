import Foundation
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftFormats

/// Files that safetensors' Python edition wrote (Tests/Keras/formats.py), and numbers by hand.
@Suite struct SafetensorsFileTests {
    private let file: SafetensorsFile
    init() throws { file = try SafetensorsFile(reading: Fixture.path("arrays.safetensors")) }

    private static let shape: Shape = [3, 4, 2]
    private static let numbers = Fixture.numbers(shape)

    @Test func theHeaderSaysWhatThereIs() {
        #expect(file.metadata == ["format": "np", "license": "none"])
        #expect(
            file.arrays.map(\.name) == [
                "a name with ü, \"quotes\" and a\nbreak", "bfloat16", "bool", "empty", "float16", "float32", "float64",
                "int16", "int32", "int64", "int8", "scalar", "uint16", "uint32", "uint64", "uint8",
            ])
        let types = Dictionary(uniqueKeysWithValues: file.arrays.map { ($0.name, $0.type) })
        #expect(types["float16"] == .float16 && types["bfloat16"] == .bfloat16 && types["int8"] == .int8)
        #expect(file.arrays.first { $0.name == "empty" }?.shape == [0, 3])
        #expect(file.arrays.first { $0.name == "scalar" }?.shape == [])
    }

    /// The formula's numbers are exact in all of these.
    @Test(arguments: ["float16", "bfloat16", "float32", "float64"])
    func floatsAreRead(name: String) throws {
        #expect(try file.tensor(name) == Tensor(Self.numbers, shape: Self.shape))
    }

    @Test(arguments: ["int8", "int16", "int32", "int64"])
    func signedIntegersAreRead(name: String) throws {
        #expect(try file.tensor(name) == Tensor(Self.numbers.map { 64 * $0 }, shape: Self.shape))
    }

    @Test(arguments: ["uint8", "uint16", "uint32", "uint64"])
    func unsignedIntegersAreRead(name: String) throws {
        #expect(try file.tensor(name) == Tensor(Self.numbers.map { 64 * $0 + 50 }, shape: Self.shape))
    }

    @Test func oddShapesAndNamesAreRead() throws {
        #expect(try file.tensor("scalar") == Tensor(-0.78125))
        #expect(try file.tensor("empty") == Tensor(zeros: [0, 3]))
        let odd = try file.tensor("a name with ü, \"quotes\" and a\nbreak")
        #expect(odd == Tensor(Fixture.numbers([2], array: 1), shape: [2]))
    }

    @Test func truthValuesAreRefusedWhereTheyAreAskedFor() {
        let error = graftError { _ = try file.tensor("bool") }
        #expect(
            error?.message == """
                \(file.path): the array "bool" holds BOOL, which Graft does not read; it reads floats of 16, 32 and 64 \
                bits and integers
                """)
    }

    @Test func anArrayThatIsNotThereNamesTheNearest() {
        let error = graftError { _ = try file.tensor("float6") }
        #expect(error?.code == .format)
        #expect(
            error?.message.hasPrefix("\(file.path) has no array \"float6\"; the nearest are float16, float64") == true)
    }

    /// Larger than the pieces in which numbers are converted, and no multiple of them.
    @Test func arraysOfManyPiecesAreRead() throws {
        let count = (1 << 17) + 3
        let halves = (0..<count).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8 & 0x3F)] }
        try withTemporaryFolder { folder in
            let path = folder + "/many.safetensors"
            try write(SafetensorsBytes([.init("many", "BF16", [count], halves)]).file, to: path)
            let values = try SafetensorsFile(reading: path).tensor("many").scalars
            let expected = (0..<count).map { Float(bitPattern: UInt32($0 & 0x3FFF) << 16) }
            #expect(values == expected)
        }
    }

    /// Every number of 16 bits, against the processor's own conversion.
    #if !(os(macOS) && arch(x86_64))
        @Test func everyHalfIsTheSameNumberIn32Bits() {
            let wrong = (UInt16.min...UInt16.max).filter { bits in
                let (ours, theirs) = (Float(half: bits), Float(Float16(bitPattern: bits)))
                return ours.bitPattern != theirs.bitPattern && !(ours.isNaN && theirs.isNaN)
            }
            #expect(wrong.isEmpty)
        }
    #endif
}
