import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct HDF5FileTests {
    @Test(arguments: ["float16", "float32", "float64", "big-endian", "compact", "bfloat16"])
    func floatsOfEveryKindAreReadExactly(name: String) throws {
        let dataset = try HDF5File(reading: Fixture.path("datasets.h5")).root.dataset("group/\(name)")
        #expect(dataset.shape == [4, 5])
        #expect(try dataset.tensor() == Tensor(Fixture.numbers([4, 5]), shape: [4, 5]))
    }

    @Test(arguments: ["int8", "int32", "int64"])
    func integersAreReadAsIntegersAndAsFloats(name: String) throws {
        let dataset = try HDF5File(reading: Fixture.path("datasets.h5")).root.dataset("group/\(name)")
        let expected = Fixture.numbers([4, 5]).map { $0 * 64 }
        #expect(try dataset.integers() == expected.map { Int64($0) })
        #expect(try dataset.tensor().scalars == expected)
    }

    @Test func scalarsAndEmptyArraysAreRead() throws {
        let group = try HDF5File(reading: Fixture.path("datasets.h5")).root.group("group")
        #expect(try group.dataset("scalar").tensor() == Tensor(-0.78125))
        #expect(try group.dataset("empty").tensor() == Tensor([], shape: [0, 3]))
        #expect(group.children().contains("compact"))
    }

    @Test func attributesOfEveryKindAreRead() throws {
        let root = try HDF5File(reading: Fixture.path("datasets.h5")).root
        let words = ["one", "two and more", "dreiß"]
        #expect(try root.strings(attribute: "fixed") == words)
        #expect(try root.strings(attribute: "variable") == words)
        #expect(try root.strings(attribute: "scalar") == ["text"])
        #expect(try root.strings(attribute: "bytes") == ["text"])
        #expect(try root.strings(attribute: "none") == [])
        #expect(try root.strings(attribute: "missing") == nil)
        #expect(try root.strings(chunkedAttribute: "missing") == nil)
        let many = (0..<60).map { "layer_with_a_long_name_\(String(repeating: "0", count: $0 < 10 ? 3 : 2))\($0)" }
        #expect(try root.strings(chunkedAttribute: "many") == many)
        #expect(graftError { _ = try root.strings(attribute: "number") }?.message.contains("should be text") == true)
    }

    @Test(arguments: [
        ("soft", "soft link"), ("links/external", "link out of the file"), ("elsewhere", "in another file"),
        ("virtual", "virtual"), ("packed", "in chunks that are packed"), ("chunked", "in chunks, which"),
        ("bomb", "in chunks that are packed"), ("unwritten", "stores 0"), ("dense/array-0", "newer dense form"),
        ("text", "kind that Graft does not read"), ("compound", "kind that Graft does not read"),
        ("missing", "has no dataset \"missing\""), ("group", "should be a dataset"),
        ("group/../data", "not a valid path"), ("/data", "not a valid path"), ("data/x", "should be a group"),
        ("", "needs a name"),
    ])
    func whatKerasNeverWritesIsRefusedInWords(name: String, words: String) throws {
        let root = try HDF5File(reading: Fixture.path("hostile.h5")).root
        let error = graftError { _ = try root.dataset(name) }
        #expect(error?.code == (name.isEmpty ? .argument : .format))
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "no error")")
    }

    @Test func theNewerLayoutIsReadInItsPlainForm() throws {
        let root = try HDF5File(reading: Fixture.path("newest.h5")).root
        #expect(root.children() == ["group"])
        let values = Tensor(Fixture.numbers([4, 5]), shape: [4, 5])
        #expect(try root.dataset("group/inner/values").tensor() == values)
        #expect(try root.dataset("group/integers").integers() == values.scalars.map { Int64($0 * 64) })
        #expect(try root.group("group").strings(attribute: "name") == ["text"])
        #expect(try root.group("group/inner").strings(attribute: "names") == ["one", "two"])
    }

    @Test func filesOfOtherKindsAreToldApart() throws {
        try withTemporaryFolder { folder in
            func message(_ bytes: [UInt8]?) throws -> String {
                let path = folder + "/file.h5"
                try bytes.map { try write($0, to: path) }
                return graftError { _ = try HDF5File(reading: path) }?.message ?? "no error"
            }
            #expect(try message(nil).contains("cannot open") && message(nil).contains("no such file"))
            #expect(try message([]).contains("is empty"))
            #expect(
                try message(Array("<!DOCTYPE html>\n<html>".utf8)).contains("it begins with \"<!DOCTYPE html> <html>\"")
            )
            #expect(try message([0x50, 0x4B, 3, 4]).contains("it begins with 50 4b"))
            let bytes = try Fixture.bytes("datasets.h5")
            let cut = try message(Array(bytes.dropLast(1)))
            #expect(cut.contains("cut short: it should have \(bytes.count) bytes and has \(bytes.count - 1)"))
            #expect(
                graftError { _ = try HDF5File(reading: folder) }?.message.contains("is not a file but a folder") == true
            )
        }
    }

    @Test func everyTruncationIsNoticed() throws {
        let bytes = try Fixture.bytes("functional-legacy.h5")
        try withTemporaryFolder { folder in
            for length in stride(from: 0, to: bytes.count, by: 97) {
                try write(Array(bytes.prefix(length)), to: folder + "/cut.h5")
                #expect(
                    graftError { _ = try HDF5File(reading: folder + "/cut.h5") }?.code == .format, "\(length) bytes")
            }
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/new.h5"
            let values = Tensor(Fixture.numbers([3, 4]), shape: [3, 4])
            let names = (0..<9000).map { "layer_\($0)" }
            let file = HDF5Writer()
            try file.root.write(values, to: "a/b/values")
            try file.root.write(Tensor(2.5), to: "a/scalar")
            try file.root.write(Tensor(zeros: [0, 2]), to: "a/empty")
            try file.root.write([1, -2, 3], shape: [3], to: "a/integers")
            try file.root.setAttribute("text", "größer")
            try file.root.setAttribute("list", ["a", "bcd", ""])
            try file.root.setAttribute("none", [])
            try file.root.setChunkedAttribute("many", names)
            try file.root.setChunkedAttribute("few", ["x", "y"])
            try file.write(to: path)

            let root = try HDF5File(reading: path).root
            #expect(try root.dataset("a/b/values").tensor() == values)
            #expect(try root.dataset("a/scalar").tensor() == Tensor(2.5))
            #expect(try root.dataset("a/empty").tensor() == Tensor(zeros: [0, 2]))
            #expect(try root.dataset("a/integers").integers() == [1, -2, 3])
            #expect(try root.strings(attribute: "text") == ["größer"])
            #expect(try root.strings(attribute: "list") == ["a", "bcd", ""])
            #expect(try root.strings(attribute: "none") == [])
            #expect(!root.hasAttribute("many") && root.hasAttribute("many1"))
            #expect(try root.strings(chunkedAttribute: "many") == names)
            #expect(root.hasAttribute("few"))
        }
    }

    @Test func manyThreadsReadOneFile() async throws {
        let root = try HDF5File(reading: Fixture.path("datasets.h5")).root
        let expected = Fixture.numbers([4, 5])
        try await withThrowingTaskGroup(of: [Float].self) { group in
            for index in 0..<40 {
                group.addTask {
                    let other = index % 2 == 0 ? root : try HDF5File(reading: Fixture.path("datasets.h5")).root
                    return try other.dataset("group/compact").tensor().scalars
                }
            }
            for try await values in group { #expect(values == expected) }
        }
    }
}
