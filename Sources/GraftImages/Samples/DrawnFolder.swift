import GraftData
import GraftGraph

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A folder that a set is written to.
struct DrawnFolder {
    let path: String
    let set: DrawnImages

    init(path: String, set: DrawnImages) throws(GraftError) {
        guard !path.isEmpty else {
            throw GraftError(.argument, "the folder's name is empty; give it one, such as \(set.id)")
        }
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.reversed().drop { $0 == "/" }.reversed()) : path
        self.set = set
    }

    /// What each file says that it was made with, by which Graft knows its own.
    var mark: String { "graft sample \(set.id)" }

    /// The files of this set that are there already.
    ///
    /// - Throws: `GraftError` with code `file` where anything else is there, hidden files aside.
    func existingFiles() throws(GraftError) -> Swift.Set<String> {
        switch FolderListing.kind(of: path) {
        case nil: return []
        case .folder: break
        default: throw GraftError(.file, "\(path) is not a folder; choose another name for the folder of images")
        }
        var files: Swift.Set<String> = []
        for split in try visible(in: path) {
            guard split.kind == .folder, DrawnImages.Split(rawValue: split.name) != nil else {
                throw stranger(split.path)
            }
            for folder in try visible(in: split.path) {
                guard folder.kind == .folder, set.classNames.contains(folder.name) else { throw stranger(folder.path) }
                for file in try visible(in: folder.path) {
                    guard isOwn(file) else { throw stranger(file.path) }
                    files.insert(file.path)
                }
            }
        }
        return files
    }

    /// Makes the folders of all classes, and those above.
    func makeFolders(_ options: DrawnImages.Options) throws(GraftError) {
        for split in DrawnImages.Split.allCases where options.count(of: split) > 0 {
            for name in set.classNames {
                let folder = "\(path)/\(split.rawValue)/\(name)"
                try Self.makeFolder(folder)
                AtomicFile.removePartials(in: folder)
            }
        }
    }

    func path(of member: DrawnImages.Member) -> String {
        "\(path)/\(member.split.rawValue)/\(set.classNames[member.classNumber])/\(member.index).png"
    }

    /// Removes files, and the folders that are empty then.
    func remove(_ files: Swift.Set<String>) throws(GraftError) {
        for file in files {
            guard unlink(file) == 0 else { throw FileBytes.systemError("\(file) cannot be removed") }
        }
        guard !files.isEmpty else { return }
        // A folder that holds anything stays, as `rmdir` refuses it.
        for split in DrawnImages.Split.allCases {
            for name in set.classNames { rmdir("\(path)/\(split.rawValue)/\(name)") }
            rmdir("\(path)/\(split.rawValue)")
        }
    }

    private func visible(in folder: String) throws(GraftError) -> [FolderListing.Entry] {
        let listing = try FolderListing(of: folder)
        if let name = listing.unreadableNames.first { throw stranger(FolderListing.join(folder, name)) }
        return listing.entries.filter { !$0.name.hasPrefix(".") }
    }

    /// Whether a file was drawn for this set: the text is before the pixels.
    private func isOwn(_ file: FolderListing.Entry) -> Bool {
        guard file.kind == .file, !file.isLink, let start = (try? FileHead(path: file.path, count: 256))?.bytes
        else {
            return false
        }
        let mark = Array(mark.utf8)
        guard start.count >= mark.count else { return false }
        return (0...(start.count - mark.count)).contains { start[$0..<($0 + mark.count)].elementsEqual(mark) }
    }

    private func stranger(_ file: String) -> GraftError {
        GraftError(
            .file,
            "\(path) is in use: it holds \(file), which is no image of the sample set \(set.id). Choose another folder, or an "
                + "empty one")
    }

    private static func makeFolder(_ folder: String) throws(GraftError) {
        if mkdir(folder, 0o777) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = folder.lastIndex(of: "/"), slash != folder.startIndex else {
            throw FileBytes.systemError("the folder \(folder) cannot be made")
        }
        try makeFolder(String(folder[..<slash]))
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
            throw FileBytes.systemError("the folder \(folder) cannot be made")
        }
    }
}
