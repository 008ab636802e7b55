import Foundation
import GraftFormats
import GraftGraph
import Testing

@testable import GraftApplications

@Suite struct SampleImagesTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private let samples = SampleImages.catsAndDogs

    /// A published archive with these members, each holding its own name.
    private func cache(_ members: String...) throws -> FileCache {
        let path = folder.path + "/archive.zip"
        try ZipWriter.write(members.map { ZipWriter.Member($0, bytes: Array($0.utf8)) }, to: path)
        let contents = try Data(contentsOf: URL(fileURLWithPath: path))
        return FileCache(folder: folder.path + "/graft", downloader: FakeDownloader(contents))
    }

    private func failure(_ cache: FileCache) -> GraftError? {
        #expect(throws: GraftError.self) { try samples.fetch(cache: cache) }
    }

    @Test func picturesComeOutAndNothingElse() throws {
        let cache = try cache(
            "cats_and_dogs_filtered/vectorize.py", "cats_and_dogs_filtered/train/cats/cat.0.jpg",
            "cats_and_dogs_filtered/validation/dogs/dog.1.jpg", "elsewhere/cat.2.jpg")
        let path = try samples.fetch(cache: cache)
        #expect(path == folder.path + "/graft/data/cats_and_dogs_filtered")
        let found = try FileManager.default.subpathsOfDirectory(atPath: path).filter { $0.hasSuffix("g") }.sorted()
        #expect(found == ["train/cats/cat.0.jpg", "validation/dogs/dog.1.jpg"])
        let bytes = try String(contentsOfFile: path + "/train/cats/cat.0.jpg", encoding: .utf8)
        #expect(bytes == "cats_and_dogs_filtered/train/cats/cat.0.jpg")
        #expect(
            folder.names(in: "graft/data") == [
                ".lock", "cats_and_dogs_filtered", "cats_and_dogs_filtered.zip", "cats_and_dogs_filtered.zip.sha256",
            ])
    }

    @Test func whatIsUnpackedIsUsedAsItIs() throws {
        try folder.write(Data(), to: "graft/data/cats_and_dogs_filtered/train/cats/cat.jpg")
        let cache = FileCache(folder: folder.path + "/graft", downloader: FakeDownloader(Data(), .refuses))
        #expect(try samples.fetch(cache: cache) == folder.path + "/graft/data/cats_and_dogs_filtered")
    }

    @Test func theFolderMayStandElsewhere() throws {
        let cache = try cache("cats_and_dogs_filtered/train/cats/cat.0.jpg")
        let path = try samples.fetch(into: folder.path + "/photos", cache: cache)
        #expect(path == folder.path + "/photos/cats_and_dogs_filtered")
        #expect(folder.names(in: "photos") == ["cats_and_dogs_filtered"])
        #expect(folder.names(in: "photos/cats_and_dogs_filtered/train/cats") == ["cat.0.jpg"])
    }

    @Test func aNameThatLeadsOutIsRefusedAndNothingIsKept() throws {
        let cache = try cache("cats_and_dogs_filtered/train/a.jpg", "cats_and_dogs_filtered/../../b.jpg")
        #expect(
            failure(cache)?.message.hasSuffix(
                "has a member whose name leads out of it: cats_and_dogs_filtered/../../b.jpg") == true)
        #expect(!folder.names(in: "graft/data").contains { $0.contains("partial") || $0 == "cats_and_dogs_filtered" })
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/b.jpg"))
    }

    @Test func anArchiveWithoutImagesIsExplained() throws {
        #expect(
            failure(try cache("readme.txt"))?.message.hasSuffix("has no pictures in cats_and_dogs_filtered") == true)
    }

    @Test func offlineTheMessageSaysWhereToPutTheArchive() {
        let cache = FileCache(
            folder: folder.path + "/graft", kerasFolder: "/home/ada/.keras",
            downloader: FakeDownloader(Data(), .refuses))
        #expect(
            failure(cache)?.message == """
                cats_and_dogs_filtered.zip is needed and could not be downloaded: the server answered with status 404. \
                Get it from https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip and put it at \
                \(folder.path)/graft/data/cats_and_dogs_filtered.zip or \
                /home/ada/.keras/datasets/cats_and_dogs_filtered.zip
                """)
    }
}
