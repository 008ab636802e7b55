import Foundation

/// Labelled images that somebody publishes to learn with, and that Graft fetches for its demonstration.
public struct SampleImages: Sendable, Identifiable {
    /// The name: `cats-and-dogs`.
    public let id: String
    /// What is in it.
    public let title: String
    /// The archive in which it is published.
    public let archive: PublishedFile
    /// The folder inside the archive, with `train` and `validation`.
    let folder: String

    /// 2,000 images to train with and 1,000 to validate with, of cats and of dogs, by Google; a part of the data of
    /// Kaggle's "Dogs vs. Cats".
    ///
    /// No checksum is published for it. Graft checks that it is a zip archive that can be read, notes its SHA-256 next to
    /// it when it is downloaded, and holds it to that from then on.
    public static let catsAndDogs = SampleImages(
        id: "cats-and-dogs", title: "cats and dogs, 3,000 photos",
        archive: PublishedFile(
            "cats_and_dogs_filtered.zip", in: "https://storage.googleapis.com/mledu-datasets/", format: .zip),
        folder: "cats_and_dogs_filtered")

    /// All of them.
    public static let all = [catsAndDogs]

    /// The folder of images on this machine: unpacked where it is not here, and its archive downloaded where that is
    /// not here either.
    ///
    /// - Parameters:
    ///   - parent: The folder in which it is created; Graft's cache where `nil`.
    ///   - cache: Where archives are kept.
    ///   - progress: Told how far the download has come.
    /// - Throws: `GraftError` saying which file is needed, from where, and where to put it, where it cannot be had.
    public func fetch(
        into parent: String? = nil, cache: FileCache = .standard(),
        progress: (@Sendable (DownloadProgress) -> Void)? = nil
    ) throws(GraftError) -> String {
        let target = "\(parent ?? cache.folder(of: archive.format))/\(folder)"
        if FileManager.default.fileExists(atPath: target) { return target }
        let path = try cache.fetch(archive, progress: progress)
        do {
            try ImageArchive(path: path, folder: folder).unpack(to: target)
        } catch let error as GraftError {
            throw error
        } catch {
            throw GraftError(.file, "\(path) cannot be unpacked to \(target)", cause: error)
        }
        return target
    }
}
