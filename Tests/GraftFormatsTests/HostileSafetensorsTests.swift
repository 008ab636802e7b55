import Foundation
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftFormats

/// safetensors files that are cut short, damaged or made to do harm: each is refused in words, and none traps.
@Suite(.timeLimit(.minutes(10))) struct HostileSafetensorsTests {
    /// A header that is wrong, over eight bytes of data, and the message behind the file's name.
    struct Case: Sendable, CustomTestStringConvertible {
        let header: String
        let message: String
        var testDescription: String { header }

        init(_ header: String, _ message: String) { (self.header, self.message) = (header, message) }

        /// One array with these members.
        init(entry: String, _ message: String) { self.init(#"{"a": {"# + entry + "}}", message) }
    }

    private static let harmful = "; the file is damaged or hostile"

    @Test(arguments: [
        Case("[]", " is not a safetensors file: its header is not a JSON object"),
        Case("", " is not a safetensors file: its header is not a JSON object"),
        Case(
            #"{"a": "#,
            ##", header: not valid JSON: line 1, byte 6: expected a value, found the end"##),
        Case(
            #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}"#,
            ##", header: not valid JSON: line 1, byte 121: expected each name once and not "a" again, found "}""##),
        Case(#"{"a": [1, 2]}"#, #": the array "a" has no dtype"# + harmful),
        Case(entry: #""dtype": 32, "shape": [2], "data_offsets": [0, 8]"#, #": the array "a" has no dtype"# + harmful),
        Case(
            entry: #""dtype": "F31", "shape": [2], "data_offsets": [0, 8]"#,
            """
            : the array "a" is of a type that Graft does not know, "F31"; it knows BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, \
            U16, F16, BF16, I32, U32, F32, F64, I64, U64
            """),
        Case(
            entry: #""dtype": "F32", "shape": [-2], "data_offsets": [0, 8]"#,
            #": the array "a" has no shape of whole numbers that can be counted"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [2.5], "data_offsets": [0, 8]"#,
            #": the array "a" has no shape of whole numbers that can be counted"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": 2, "data_offsets": [0, 8]"#,
            #": the array "a" has no shape of whole numbers that can be counted"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 8]"#,
            #": the array "a" has no shape of whole numbers that can be counted"# + harmful),
        Case(
            entry: #""dtype": "F64", "shape": [1152921504606846976], "data_offsets": [0, 8]"#,
            #": the array "a" has no shape of whole numbers that can be counted"# + harmful),
        Case(
            entry: #""dtype": "U8", "shape": [1000000000000], "data_offsets": [0, 8]"#,
            #": the array "a" of U8 and shape (1000000000000,) needs 1000000000000 bytes and has 8"# + harmful),
        Case(
            entry: #""dtype": "U8", "shape": [1000000000000], "data_offsets": [0, 1000000000000]"#,
            #" is cut short or damaged: the array "a" should end at byte 1000000000000 of the data, which has 8"#),
        Case(
            entry: #""dtype": "F32", "shape": [3], "data_offsets": [0, 8]"#,
            #": the array "a" of F32 and shape (3,) needs 12 bytes and has 8"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [2]"#,
            #": the array "a" has no data_offsets, its first byte and the one behind its last"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [2], "data_offsets": [8, 0]"#,
            #": the array "a" has no data_offsets, its first byte and the one behind its last"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [2], "data_offsets": [-8, 0]"#,
            #": the array "a" has no data_offsets, its first byte and the one behind its last"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [2], "data_offsets": [0, 99999999999999999999]"#,
            #": the array "a" has no data_offsets, its first byte and the one behind its last"# + harmful),
        Case(
            entry: #""dtype": "F32", "shape": [1], "data_offsets": [0, 4]"#,
            " is damaged or hostile: 4 bytes behind its last array belong to none"),
        Case("{}", " is damaged or hostile: 8 bytes behind its last array belong to none"),
        Case(
            entry: #""dtype": "F32", "shape": [1], "data_offsets": [4, 8]"#,
            #": the array "a" leaves a hole behind the header"# + harmful),
        Case(
            #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}"#,
            #": the array "b" overlaps with "a""# + harmful),
        Case(
            #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#,
            #": the array "b" overlaps with "a""# + harmful),
        Case(
            #"{"__metadata__": {"format": 1}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#,
            ": __metadata__ should be texts by name"),
    ])
    func wrongHeadersAreRefused(example: Case) throws {
        let bytes = SafetensorsBytes.file(header: example.header, data: [UInt8](repeating: 1, count: 8))
        try expectRefusal(of: bytes, example.message)
    }

    @Test(arguments: [
        ([UInt8](), " is cut short: a safetensors file has at least 8 bytes, this has 0"),
        ([2, 0, 0, 0, 0, 0, 0], " is cut short: a safetensors file has at least 8 bytes, this has 7"),
        ([2, 0, 0, 0, 0, 0, 0, 0, 0x7B], " is cut short: its header should have 2 bytes, 1 follow"),
        (
            [UInt8](repeating: 0xFF, count: 8) + [0x7B, 0x7D],
            """
             is not a safetensors file, or damaged: it declares a header of 18446744073709551615 bytes, the format \
            allows 100000000
            """
        ),
        (
            [1, 0xE1, 0xF5, 5, 0, 0, 0, 0, 0x7B, 0x7D],
            " is not a safetensors file, or damaged: it declares a header of 100000001 bytes, the format allows 100000000"
        ),
        (
            [2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF],
            ##", header: not valid JSON: line 1, byte 1: expected a name in quotation marks, found "�""##
        ),
    ])
    func wrongLengthsAreRefused(bytes: [UInt8], message: String) throws { try expectRefusal(of: bytes, message) }

    private func expectRefusal(of bytes: [UInt8], _ message: String) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/hostile.safetensors"
            try write(bytes, to: path)
            let error = graftError { _ = try SafetensorsFile(reading: path) }
            #expect(error?.code == .format)
            #expect(error?.message == path + message)
        }
    }

    @Test func aFileCutAtAnyLengthIsRefused() throws {
        let whole = try Fixture.bytes("arrays.safetensors")
        try withTemporaryFolder { folder in
            let path = folder + "/cut.safetensors"
            for length in 0..<whole.count {
                try write(Array(whole[..<length]), to: path)
                #expect(graftError { _ = try SafetensorsFile(reading: path) }?.code == .format, "\(length) bytes")
            }
        }
    }

    @Test func damagedFilesAreReadOrRefused() throws {
        let original = try Fixture.bytes("arrays.safetensors")
        try withTemporaryFolder { folder in
            let path = folder + "/damaged.safetensors"
            for seed in 0..<UInt64(DamagedFilesTests.count) {
                var random = SplitMix(seed: seed)
                try write(original.damaged(using: &random), to: path)
                _ = graftError {
                    let file = try SafetensorsFile(reading: path)
                    for array in file.arrays where array.type.isReadable {
                        #expect(try file.tensor(array.name).shape == array.shape)
                    }
                }
            }
        }
    }

    @Test func aFileThatBecomesShorterWhileItIsOpenIsAnError() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            try write(SafetensorsBytes([.init("a", Tensor(zeros: [64]))]).file, to: path)
            let file = try SafetensorsFile(reading: path)
            #expect(truncate(path, 200) == 0)
            #expect(graftError { _ = try file.tensor("a") }?.message == "\(path) became shorter while it was read")
        }
    }
}
