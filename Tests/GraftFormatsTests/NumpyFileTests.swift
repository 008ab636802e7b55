import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct NumpyFileTests {
    let shape: Shape = [3, 4, 2]

    @Test(arguments: ["float32", "float64", "version-2", "version-3"])
    func floatsAreRead(name: String) throws {
        #expect(
            try NumpyFile.tensor(contentsOf: Fixture.path("\(name).npy"))
                == Tensor(Fixture.numbers(shape), shape: shape))
    }

    @Test func otherKindsAndShapesAreRead() throws {
        let doubles = try NumpyFile.doubles(contentsOf: Fixture.path("float64.npy"))
        #expect(doubles.shape == shape && doubles.values == Fixture.numbers(shape).map(Double.init))
        let integers = try NumpyFile.integers(contentsOf: Fixture.path("int64.npy"))
        #expect(integers.shape == shape && integers.values == Fixture.numbers(shape).map { Int64($0 * 64) })
        #expect(
            try NumpyFile.tensor(contentsOf: Fixture.path("int64.npy")).scalars
                == Fixture.numbers(shape).map { $0 * 64 })
        let exact = try NumpyFile.tensor(contentsOf: Fixture.path("int32.npy"))
        #expect(exact.elementType == .int32 && exact.int32Scalars == Fixture.numbers(shape).map { Int32($0 * 64) })
        #expect(try NumpyFile.tensor(contentsOf: Fixture.path("scalar.npy")) == Tensor(-0.78125))
        #expect(try NumpyFile.tensor(contentsOf: Fixture.path("vector.npy")).shape == [5])
        #expect(try NumpyFile.tensor(contentsOf: Fixture.path("empty.npy")).shape == [0, 3])
    }

    @Test func writingGivesNumpysOwnBytes() throws {
        try withTemporaryFolder { folder in
            let numbers = Fixture.numbers(shape)
            try NumpyFile.write(Tensor(numbers, shape: shape), to: folder + "/float32.npy")
            try NumpyFile.write(numbers.map(Double.init), shape: shape, to: folder + "/float64.npy")
            try NumpyFile.write(numbers.map { Int64($0 * 64) }, shape: shape, to: folder + "/int64.npy")
            try NumpyFile.write(Tensor(numbers.map { Int32($0 * 64) }, shape: shape), to: folder + "/int32.npy")
            try NumpyFile.write(Tensor(-0.78125), to: folder + "/scalar.npy")
            try NumpyFile.write(Tensor(Fixture.numbers([5]), shape: [5]), to: folder + "/vector.npy")
            let names = ["float32.npy", "float64.npy", "int32.npy", "int64.npy", "scalar.npy", "vector.npy"]
            #expect(try namesInFolder(folder) == names)
            for name in names {
                let written = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
                #expect(try written == Fixture.bytes(name), "\(name)")
            }
        }
    }

    @Test func rowsAreAppendedUntilFinished() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/rows.npy"
            let writer = try NumpyWriter(creating: path, rowShape: [2, 3])
            try writer.append(Tensor(Fixture.numbers([4, 2, 3]), shape: [4, 2, 3]))
            try writer.append(Tensor(Fixture.numbers([1, 2, 3]), shape: [1, 2, 3]))
            #expect(graftError { try writer.append(Tensor(zeros: [2, 3])) }?.code == .shape)
            #expect(!FileManager.default.fileExists(atPath: path))
            try writer.finish()
            #expect(try namesInFolder(folder) == ["rows.npy"])
            let expected = Fixture.numbers([4, 2, 3]) + Fixture.numbers([1, 2, 3])
            #expect(try NumpyFile.tensor(contentsOf: path) == Tensor(expected, shape: [5, 2, 3]))
            #expect(graftError { try writer.finish() }?.code == .state)
        }
    }

    @Test func unfinishedRowsLeaveNothingBehind() throws {
        try withTemporaryFolder { folder in
            try write([1, 2, 3], to: folder + "/rows.npy")
            do {
                let writer = try NumpyWriter(creating: folder + "/rows.npy", rowShape: [2])
                try writer.append(Tensor(zeros: [4, 2]))
            }
            #expect(try namesInFolder(folder) == ["rows.npy"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/rows.npy")) == Data([1, 2, 3]))
        }
    }

    @Test(arguments: [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", "bytes, the file has"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }", "impossible shape"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "cannot be read"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1", "cannot be read"),
        ("{'descr': '<f4', 'fortran_order': False}", "lacks"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': ()}", "lacks"),
        ("{'descr': '<f4', 'descr': '<f4', 'shape': ()}", "cannot be read"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (), }", "\"|O\" are not read"),
        ("{'descr': __import__('os').abort(), }", "cannot be read"),
        ("", "cannot be read"),
    ])
    func hostileHeadersAreRefused(text: String, words: String) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/hostile.npy"
            try write(NumpyHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + text.utf8 + [0, 0, 0, 0], to: path)
            let error = graftError { _ = try NumpyFile.tensor(contentsOf: path) }
            #expect(error?.code == .format && error?.message.contains(words) == true, "\(error?.message ?? "no error")")
        }
    }

    @Test func filesThatCannotBeReadSayWhy() throws {
        func message(_ name: String) -> String? {
            graftError { _ = try NumpyFile.tensor(contentsOf: Fixture.path(name)) }?.message
        }
        #expect(message("fortran.npy")?.contains("ascontiguousarray") == true)
        #expect(message("big-endian.npy")?.contains("\">f4\" are not read") == true)
        #expect(message("float16.npy")?.contains("astype") == true)
        #expect(message("datasets.h5")?.contains("not a .npy file") == true)
        #expect(message("missing.npy")?.contains("no such file") == true)
        #expect(graftError { _ = try NumpyFile.doubles(contentsOf: Fixture.path("float32.npy")) }?.code == .format)
        let bytes = try Fixture.bytes("float32.npy")
        try withTemporaryFolder { folder in
            for length in 0..<bytes.count {
                try write(Array(bytes.prefix(length)), to: folder + "/cut.npy")
                #expect(graftError { _ = try NumpyFile.tensor(contentsOf: folder + "/cut.npy") }?.code == .format)
            }
        }
    }
}
