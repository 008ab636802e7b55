import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct AtomicFileTests {
    @Test func theOldFileStaysUntilTheNewOneIsWhole() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/file"
            try write([1, 2, 3], to: path)
            let error = graftError {
                try AtomicFile.write(to: path) { (temporary) throws(GraftError) in
                    try File(filling: temporary).write([9, 9])
                    throw GraftError(.state, "something else went wrong")
                }
            }
            #expect(
                error?.message
                    == "\(path) was not written, what was there before is untouched: something else went wrong")
            #expect(try namesInFolder(folder) == ["file"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
            try AtomicFile.write(to: path) { (temporary) throws(GraftError) in
                try File(filling: temporary).write([9, 9])
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([9, 9]))
            #expect(try namesInFolder(folder) == ["file"])
        }
    }

    @Test func linksStayLinks() throws {
        try withTemporaryFolder { folder in
            try write([1], to: folder + "/target")
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "target")
            try AtomicFile.write(to: folder + "/link") { (temporary) throws(GraftError) in
                try File(filling: temporary).write([2])
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/target")) == Data([2]))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "target")
        }
    }

    @Test func placesThatCannotBeWrittenAreNamed() throws {
        try withTemporaryFolder { folder in
            func message(_ path: String, _ byteCount: Int = 0) -> String {
                let error = graftError { try AtomicFile.write(to: path, byteCount: byteCount) { _ in } }
                return error?.message ?? "no error"
            }
            #expect(message(folder).contains("is a folder"))
            #expect(message(folder + "/").contains("is not the path of a file"))
            #expect(message(folder + "/missing/file").contains("no such file or directory"))
            #expect(message(folder + "/file", 1 << 60).contains("needs about 1152921504606.9 MB, and the disk has"))
            let names = try namesInFolder(folder)
            #expect(names.isEmpty)
        }
    }

    /// A limit on the size of files stands for a full disk: the same calls fail in the same places. In a process of its
    /// own, because the limit holds for all of it.
    @Test(arguments: [0, 1, 100, 3_000, 20_000, 33_000, 50_000, 90_000])
    func aDiskThatIsFullLosesNothing(limit: Int) async {
        await #expect(processExitsWith: .success) { [limit = limit as Int] in
            try withTemporaryFolder { folder in
                let path = folder + "/model.keras"
                let model = try TestModels.functional()
                TestModels.fill(model)
                try model.save(path)
                let before = try Data(contentsOf: URL(fileURLWithPath: path))

                let error = graftError { try withFileSizeLimit(limit) { try model.save(path) } }
                if limit > before.count {
                    #expect(error == nil)
                } else {
                    #expect(error?.code == .file)
                    #expect(error?.message.contains("was not written, what was there before is untouched: ") == true)
                    #expect(error?.message.contains("are needed") == true, "\(error?.message ?? "")")
                    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
                }
                #expect(try namesInFolder(folder) == ["model.keras"])
                #expect(try Model.load(path).weights == model.weights)
            }
        }
    }
}

extension AtomicFileTests {
    @Test func rowsThatDoNotFitLeaveNothing() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let path = folder + "/rows.npy"
                var writer: NumpyWriter? = try NumpyWriter(creating: path, rowShape: [100])
                let error = graftError {
                    try withFileSizeLimit(2_000) { try writer?.append(Tensor(zeros: [10, 100])) }
                }
                #expect(
                    error?.message == "\(path) was not written: cannot write \(path): file too large "
                        + "(0.1 MB more are needed for these 10 rows)")
                writer = nil
                let names = try namesInFolder(folder)
                #expect(names.isEmpty)
            }
        }
    }
}

/// Runs with files limited to so many bytes; a write beyond gives EFBIG instead of a signal.
func withFileSizeLimit(_ byteCount: Int, _ body: () throws -> Void) throws {
    #if canImport(Darwin)
        let resource = RLIMIT_FSIZE
    #else
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    #endif
    signal(SIGXFSZ, SIG_IGN)
    var old = rlimit()
    getrlimit(resource, &old)
    var new = rlimit(rlim_cur: rlim_t(byteCount), rlim_max: old.rlim_max)
    setrlimit(resource, &new)
    defer { setrlimit(resource, &old) }
    try body()
}
