import Foundation
import Testing

@testable import GraftSystem

@Suite struct MachineMemoryTests {
    @Test func availableMemoryIsReadInKibibytes() {
        let memory = MachineMemory(
            installed: 16_000_000_000, meminfo: "MemTotal:  15625000 kB\nMemFree: 1 kB\nMemAvailable:  9765625 kB\n")
        #expect(memory.installed == 16_000_000_000)
        #expect(memory.available == 10_000_000_000)
    }

    @Test(arguments: ["", "MemAvailable:", "MemAvailable: many kB", "MemAvailable: 18446744073709551615 kB"])
    func whatSaysNothingIsUnknown(meminfo: String) {
        #expect(MachineMemory(installed: 1, meminfo: meminfo).available == nil)
    }

    @Test func thisMachineHasMemory() {
        #expect(MachineMemory.current.installed > 0)
        #expect((MachineMemory.current.available ?? 0) <= MachineMemory.current.installed)
    }
}

@Suite struct LoadedLibraryTests {
    @Test func theFileIsFoundByItsName() {
        let paths = LoadedLibrary.paths(
            inMaps: """
                7f00-7f01 r--p 00000000 fe:00 1      /usr/lib/libvips-cpp.so.42
                7f01-7f02 r--p 00000000 00:00 0
                7f02-7f03 r--p 00000000 fe:00 2      /opt/my libs/libvips.so.42.16.1
                7f03-7f04 rw-p 00000000 00:00 0      [heap]
                """)
        #expect(LoadedLibrary.path(of: "libvips", among: paths) == "/opt/my libs/libvips.so.42.16.1")
        #expect(LoadedLibrary.path(of: "libdnnl", among: paths) == nil)
        #expect(LoadedLibrary.path(of: "libdnnl", among: ["/opt/homebrew/lib/libdnnl.3.dylib"]) != nil)
    }

    /// Of a list that is longer than one page, which `String(contentsOfFile:)` would end at.
    #if os(Linux)
        @Test func theCLibraryOfThisProcessIsFound() throws {
            let path = try #require(LoadedLibrary.path(of: "libc") ?? LoadedLibrary.path(of: "ld-musl-x86_64"))
            #expect(FileManager.default.fileExists(atPath: path))
            let maps = try #require(SystemFile.text(at: "/proc/self/maps"))
            #expect(maps.utf8.count > 4096 && maps.hasSuffix("\n"))
        }
    #endif
}

@Suite struct FolderStateTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func filesInAllFoldersAreCounted() throws {
        try folder.write("12345", to: "a")
        try folder.write("123", to: "deep/er/b")
        try folder.write("", to: "deep/.hidden")
        let state = FolderState(at: folder.path)
        #expect(state.exists && state.isWritable)
        #expect(state.fileCount == 3)
        #expect(state.byteCount == 8)
        #expect((state.freeByteCount ?? 0) > 0)
    }

    @Test func aFolderThatIsNotThereMayBeMade() {
        let state = FolderState(at: folder.path + "/not/there")
        #expect(!state.exists && state.isWritable)
        #expect(state.fileCount == 0 && state.byteCount == 0)
    }

    /// Below a file nobody can make a folder, root neither.
    @Test func belowAFileNothingMayBeWritten() throws {
        let file = try folder.write("text", to: "file")
        #expect(!FolderState(at: file + "/graft").isWritable)
        #expect(!FolderState(at: file).isWritable)
    }
}

@Suite struct ExecutableTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func theFirstInTheSearchPathIsTaken() throws {
        try folder.write("#!/bin/sh\necho first $1\n", to: "one/tool", isExecutable: true)
        try folder.write("#!/bin/sh\necho second\n", to: "two/tool", isExecutable: true)
        try folder.write("no program", to: "zero/tool")
        let path = ["zero", "one", "two"].map { "\(folder.path)/\($0)" }.joined(separator: ":")
        let tool = try #require(Executable(named: "tool", searchPath: path))
        #expect(tool.path == "\(folder.path)/one/tool")
        #expect(tool.output(of: ["here"]) == "first here\n")
    }

    @Test func whatIsNotThereOrFailsGivesNothing() throws {
        try folder.write("#!/bin/sh\necho words\nexit 3\n", to: "fails", isExecutable: true)
        #expect(Executable(named: "absent", searchPath: folder.path) == nil)
        #expect(Executable(named: "fails", searchPath: "") == nil)
        #expect(Executable(named: "fails", searchPath: folder.path)?.output(of: []) == nil)
    }
}
