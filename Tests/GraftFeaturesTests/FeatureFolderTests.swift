import Foundation
import GraftGraph
import GraftTestSupport
import Testing

@testable import GraftFeatures

@Suite struct FeatureFolderTests {
    private let root = TemporaryFolder()
    private var path: String { root.path + "/trunk" }
    private let rowByteCount = 40

    @Test func rowsComeBackAsTheyWereWritten() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        try write(0..<5, to: folder)
        for number in 0..<5 { #expect(try read(number, from: folder) == row(number)) }
        #expect(folder.location(of: key(5)) == nil)
    }

    @Test func anotherOpeningFindsTheRows() throws {
        try write(0..<5, to: FeatureFolder(path: path, rowByteCount: rowByteCount))
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        #expect(try read(3, from: folder) == row(3))
    }

    @Test func rowsOfAnUnfinishedShardAreNotFoundAndLeaveNoFile() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        do {
            let recorder = FeatureRecorder(folder: folder)
            try row(0).withUnsafeBytes { try recorder.append($0, key: key(0)) }
            #expect(folder.location(of: key(0)) == nil)
        }
        #expect(FeatureFolder.names(in: path) == ["lock"])
    }

    @Test func aDamagedRowIsNoticedAndItsShardRemoved() throws {
        try write(0..<3, to: FeatureFolder(path: path, rowByteCount: rowByteCount))
        let shard = try shardPaths()[0]
        // The rows take 40 bytes each: without a zero there is no mask.
        try flip(shard, at: ShardTable.headerByteCount + 40 + 7)
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        #expect(folder.location(of: key(1)) != nil)
        folder.removeDamaged(among: (0..<3).map(key))
        #expect(folder.location(of: key(1)) == nil)
        #expect(try shardPaths().isEmpty)
    }

    @Test(arguments: [0, 9, 17, 25, 33, 50, 64 + 120, 64 + 120 + 35, 64 + 120 + 41, 64 + 120 + 48])
    func aDamagedTableIsNoticedAtOpening(_ position: Int) throws {
        try write(0..<3, to: FeatureFolder(path: path, rowByteCount: rowByteCount))
        try flip(shardPaths()[0], at: position)
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        #expect(folder.location(of: key(0)) == nil)
        #expect(try shardPaths().isEmpty)
    }

    @Test(arguments: [0, 10, 64, 100, -1])
    func aTruncatedShardIsNoticedAtOpening(_ length: Int) throws {
        try write(0..<3, to: FeatureFolder(path: path, rowByteCount: rowByteCount))
        let shard = try shardPaths()[0]
        var data = try Data(contentsOf: URL(fileURLWithPath: shard))
        data = data.prefix(length < 0 ? data.count + length : length)
        try data.write(to: URL(fileURLWithPath: shard))
        #expect(try FeatureFolder(path: path, rowByteCount: rowByteCount).location(of: key(0)) == nil)
    }

    @Test func aRowThatIsDamagedWhileItIsInUseIsNotTaken() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        try write(0..<3, to: folder)
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: shardPaths()[0]))
        try handle.seek(toOffset: UInt64(ShardTable.headerByteCount + 40 + 7))
        try handle.write(contentsOf: [0x55])
        try handle.close()
        #expect(throws: GraftError.self) { try read(1, from: folder) }
        #expect(try read(2, from: folder) == row(2))
    }

    @Test func rowsOfAnotherSizeAreNotTaken() throws {
        try write(0..<3, to: FeatureFolder(path: path, rowByteCount: rowByteCount))
        #expect(try FeatureFolder(path: path, rowByteCount: 80).location(of: key(0)) == nil)
    }

    @Test func aShardOfAWriterThatIsGoneIsRemovedAndOneAtWorkIsNot() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        let writer = try folder.makeWriter()
        try Data("left".utf8).write(to: URL(fileURLWithPath: path + "/gone" + FeatureFolder.partialSuffix))
        _ = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        #expect(FeatureFolder.names(in: path).filter { $0.hasSuffix(FeatureFolder.partialSuffix) }.count == 1)
        try row(0).withUnsafeBytes { try writer.append($0, key: key(0)) }
        try folder.add(shardAt: writer.finish())
        #expect(try read(0, from: folder) == row(0))
    }

    @Test func moreShardsThanFilesStayOpenAreReadAsWell() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        let count = FeatureFolder.openFileLimit + 20
        for number in 0..<count { try write(number..<(number + 1), to: folder) }
        for number in 0..<count { #expect(try read(number, from: folder) == row(number)) }
    }

    @Test func shardsOfATemporaryFolderHaveNoNames() throws {
        let folder = try FeatureCache.temporaryFolder(rowByteCount: rowByteCount)
        try write(0..<5, to: folder)
        #expect(FeatureFolder.names(in: folder.path) == ["lock"])
        #expect(try read(4, from: folder) == row(4))
    }

    @Test func aFullDiskIsCalledSo() {
        #expect(
            FileFailure.error("cannot write /cache/shard", number: ENOSPC).message
                == "cannot write /cache/shard: the disk is full (no space left on device); free some space or "
                + "choose another folder")
    }

    @Test func twoWritersAtOnceDoNotDisturbEachOther() async throws {
        let (path, rowByteCount) = (path, rowByteCount)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
                    try write((writer * 10)..<(writer * 10 + 20), to: folder)
                    for number in (writer * 10)..<(writer * 10 + 20) {
                        #expect(try read(number, from: folder) == row(number))
                    }
                }
            }
            try await group.waitForAll()
        }
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        for number in 0..<50 { #expect(try read(number, from: folder) == row(number)) }
    }

    @Test func fullShardsAreFollowedByNewOnes() throws {
        let wide = 20_000_000
        let folder = try FeatureFolder(path: path, rowByteCount: wide)
        let recorder = FeatureRecorder(folder: folder)
        for number in 0..<2 {
            let row = [UInt8](repeating: UInt8(number + 1), count: wide)
            try row.withUnsafeBytes { try recorder.append($0, key: key(number)) }
        }
        // A shard has room for one such row, so both are there before the recorder finishes.
        #expect(folder.location(of: key(1)) != nil)
        #expect(try shardPaths().count == 2)
    }

    @Test func aShardIsFullAfter512RowsSoThatARunThatIsKilledLosesLittle() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        let recorder = FeatureRecorder(folder: folder)
        for number in 0..<513 { try row(number).withUnsafeBytes { try recorder.append($0, key: key(number)) } }
        #expect(folder.location(of: key(511)) != nil)
        #expect(folder.location(of: key(512)) == nil)
    }

    @Test func zerosTakeNoRoom() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: 40_000)
        let recorder = FeatureRecorder(folder: folder)
        let row = [Float](repeating: 0, count: 10_000)
        for number in 0..<10 { try row.withUnsafeBytes { try recorder.append($0, key: key(number)) } }
        try recorder.finish()
        // A mask of 157 words and an entry of the table for each.
        #expect(try shardSize(in: path) == 64 + 10 * (157 * 8 + 56))
    }

    @Test func shardsBeyondTheLimitServeTheRunAndGoWithIt() throws {
        // A shard has 64 + 3 × (40 + 56) bytes; there is room for two.
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount, byteLimit: 2 * 352)
        for start in [0, 3, 6] { try write(start..<(start + 3), to: folder) }
        #expect(try shardPaths().count == 2)
        for number in 0..<9 { #expect(try read(number, from: folder) == row(number)) }
        let again = try FeatureFolder(path: path, rowByteCount: rowByteCount, byteLimit: 0)
        #expect((0..<9).filter { again.location(of: key($0)) != nil }.count == 6)
    }

    // MARK: The cache as a whole

    @Test func theLeastRecentlyUsedTrunksGoFirst() throws {
        for (age, name) in ["old", "middle", "new"].enumerated() {
            let folder = root.path + "/" + name
            try write(0..<3, to: FeatureFolder(path: folder, rowByteCount: rowByteCount))
            let date = Date(timeIntervalSince1970: Double(1_000_000 + age * 1000))
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: folder + "/lock")
        }
        let cache = FeatureCache(location: .folder(root.path), byteLimit: 0)
        let size = try shardSize(in: root.path + "/new")
        cache.evict(from: root.path, toHold: 2 * size, keeping: [])
        #expect(FeatureFolder.names(in: root.path) == ["middle", "new"])
    }

    @Test func otherTrunksGoWhereTheCacheHoldsMoreThanItsLimit() throws {
        for name in ["old", "new"] {
            try write(0..<3, to: FeatureFolder(path: root.path + "/" + name, rowByteCount: rowByteCount))
        }
        let date = Date(timeIntervalSince1970: 1_000_000)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: root.path + "/old/lock")
        let cache = FeatureCache(
            location: .folder(root.path), byteLimit: 2 * (try shardSize(in: root.path + "/new")))
        let mine = try FeatureFolder(path: root.path + "/mine", rowByteCount: rowByteCount)
        let recorder = FeatureRecorder(folder: mine) { cache.trim(keeping: mine) }
        for number in 0..<3 { try row(number).withUnsafeBytes { try recorder.append($0, key: key(number)) } }
        #expect(FeatureFolder.names(in: root.path) == ["mine", "new", "old"])
        try recorder.finish()
        #expect(FeatureFolder.names(in: root.path) == ["mine", "new"])
    }

    /// What a pass needs is not known before it is over, so nothing goes for it unless the disk is short of room.
    @Test func otherTrunksStayWhereTheDiskHasRoom() throws {
        try write(0..<3, to: FeatureFolder(path: root.path + "/other", rowByteCount: rowByteCount))
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        let cache = FeatureCache(location: .folder(root.path), byteLimit: 1000)
        try cache.makeRoom(for: 1000, in: [folder])
        #expect(FeatureFolder.names(in: root.path) == ["other", "trunk"])
        #expect(throws: GraftError.self) { try cache.makeRoom(for: 1 << 60, in: [folder]) }
        #expect(FeatureFolder.names(in: root.path) == ["trunk"])
    }

    @Test func aTrunkInUseIsNotRemoved() throws {
        let used = try FeatureFolder(path: root.path + "/used", rowByteCount: rowByteCount)
        try write(0..<3, to: used)
        try write(0..<3, to: FeatureFolder(path: root.path + "/free", rowByteCount: rowByteCount))
        FeatureCache(location: .folder(root.path), byteLimit: 0).evict(from: root.path, toHold: 0, keeping: [])
        #expect(FeatureFolder.names(in: root.path) == ["used"])
        #expect(try read(0, from: used) == row(0))
    }

    @Test func aFolderThatIsNotOursIsLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: root.path + "/mine", withIntermediateDirectories: true)
        try Data(count: 100).write(to: URL(fileURLWithPath: root.path + "/mine/file"))
        FeatureCache(location: .folder(root.path), byteLimit: 0).evict(from: root.path, toHold: 0, keeping: [])
        #expect(FeatureFolder.names(in: root.path) == ["mine"])
    }

    @Test func tooLittleSpaceIsToldBeforeThePass() throws {
        let folder = try FeatureFolder(path: path, rowByteCount: rowByteCount)
        #expect {
            try FeatureCache(location: .folder(root.path)).makeRoom(for: 1 << 60, in: [folder])
        } throws: {
            guard let error = $0 as? GraftError else { return false }
            return error.code == .file && error.message.hasPrefix("the features may need 1152921.5 TB, but ")
                && error.message.hasSuffix("free some space or keep features in another folder")
        }
    }

    @Test func aTemporaryFolderGoesWithItsObject() throws {
        var folder: FeatureFolder? = try FeatureCache.temporaryFolder(rowByteCount: rowByteCount)
        let path = try #require(folder?.path)
        #expect(FileManager.default.fileExists(atPath: path))
        folder = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func theCacheStandsWhereTheEnvironmentSays() {
        #expect(FeatureCache.standardRoot(environment: ["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/graft/features")
        #expect(FeatureCache.standardRoot(environment: ["XDG_CACHE_HOME": "not absolute"]) == nil)
        #if os(Linux)
            #expect(FeatureCache.standardRoot(environment: ["HOME": "/h"]) == "/h/.cache/graft/features")
        #endif
    }

    // MARK: Helpers

    private func shardPaths() throws -> [String] {
        FeatureFolder.names(in: path).filter { $0.hasSuffix(FeatureFolder.shardSuffix) }.map { path + "/" + $0 }
    }

    private func shardSize(in folder: String) throws -> Int {
        let name = try #require(FeatureFolder.names(in: folder).first { $0.hasSuffix(FeatureFolder.shardSuffix) })
        return try File(reading: folder + "/" + name).byteCount
    }

    private func flip(_ path: String, at position: Int) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data[position] ^= 0x10
        try data.write(to: URL(fileURLWithPath: path))
    }
}

private func key(_ number: Int) -> FeatureKey { FeatureKey(fingerprint: "image \(number)") }

private func row(_ number: Int) -> [Float] { (0..<10).map { Float(number * 100 + $0) } }

private func write(_ numbers: Range<Int>, to folder: FeatureFolder) throws {
    let recorder = FeatureRecorder(folder: folder)
    for number in numbers { try row(number).withUnsafeBytes { try recorder.append($0, key: key(number)) } }
    try recorder.finish()
}

private func read(_ number: Int, from folder: FeatureFolder) throws -> [Float] {
    var row = [Float](repeating: 0, count: 10)
    let location = try #require(folder.location(of: key(number)))
    try row.withUnsafeMutableBytes { try folder.read(location, into: $0) }
    return row
}
