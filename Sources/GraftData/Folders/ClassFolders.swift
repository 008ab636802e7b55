import GraftGraph

/// A folder that holds one folder a class, read: the files of each class, and all that is something else.
package struct ClassFolders {
    /// A class and its files.
    package struct Class {
        package let name: String
        /// The class's folder.
        package let path: String
        /// The files' paths below the class's folder, in Keras's order: folder by folder, then by name.
        package let files: [String]
    }

    package let path: String
    private let kind: FileKind
    /// The folders with at least one file of the kind in them, by name.
    package private(set) var classes: [Class] = []
    /// Files of the kind that lie next to the class folders.
    package private(set) var looseFileCount = 0
    package private(set) var problems: [FileProblem] = []

    /// Reads the names in the folder and in the folders below.
    package init(at path: String, of kind: FileKind) throws(GraftError) {
        (self.path, self.kind) = (path, kind)
        let listing = try FolderListing(of: path)
        noteUnreadableNames(of: listing, in: path)
        for entry in listing.entries { read(entry) }
    }

    /// All files of a kind below a folder, whatever folders they lie in, in Keras's order, and what was left out.
    ///
    /// - Throws: `GraftError` with code `file` where the folder cannot be read.
    package static func allFiles(
        of kind: FileKind, below path: String
    ) throws(GraftError) -> (paths: [String], problems: [FileProblem]) {
        _ = try FolderListing(of: path)
        var reader = ClassFolders(unread: path, kind)
        let files = reader.files(in: path)
        return (files.map { FolderListing.join(path, $0) }, reader.problems)
    }

    private init(unread path: String, _ kind: FileKind) { (self.path, self.kind) = (path, kind) }

    private mutating func read(_ entry: FolderListing.Entry) {
        if let problem = Self.problem(of: entry) {
            problems.append(problem)
        } else if entry.kind == .file {
            let isWanted = kind.contains(entry.name)
            looseFileCount += isWanted ? 1 : 0
            problems.append(
                FileProblem(
                    path: entry.path,
                    reason: isWanted ? "lies beside the class folders, so it has no class" : "is no class folder",
                    isWanted ? .unlabelled : .stray))
        } else if entry.isLink, leadsBack(entry.path) {
            problems.append(FileProblem(path: entry.path, reason: "is a link to a folder that holds it", .special))
        } else {
            let files = files(in: entry.path)
            if files.isEmpty {
                problems.append(
                    FileProblem(path: entry.path, reason: "holds no \(kind.plural), so it is no class", .emptyClass))
            } else {
                classes.append(Class(name: entry.name, path: entry.path, files: files))
            }
        }
    }

    /// Whether following this link would come back to where it lies.
    private func leadsBack(_ link: String) -> Bool {
        guard let target = FolderListing.realPath(link), let here = FolderListing.realPath(path) else { return true }
        return here == target || here.hasPrefix(target.hasSuffix("/") ? target : target + "/")
    }

    /// All files of the kind below a class's folder. Links to further folders are not followed (nor does Keras follow them), so
    /// that links in a circle do no harm.
    private mutating func files(in classFolder: String) -> [String] {
        var found: [(folder: String, names: [String])] = []
        var waiting = [""]
        while let folder = waiting.popLast() {
            let path = folder.isEmpty ? classFolder : FolderListing.join(classFolder, folder)
            let listing: FolderListing
            do throws(GraftError) {
                listing = try FolderListing(of: path)
            } catch {
                problems.append(FileProblem(path: path, reason: error.message, .unreadable))
                continue
            }
            noteUnreadableNames(of: listing, in: path)
            let usable = listing.entries.filter { isUsable($0) }
            waiting += usable.filter { $0.kind == .folder }.map { folder.isEmpty ? $0.name : folder + "/" + $0.name }
            found.append((folder, usable.filter { $0.kind == .file }.map(\.name)))
        }
        found.sort { FolderListing.precedes($0.folder, $1.folder) }
        return found.flatMap { folder, names in folder.isEmpty ? names : names.map { folder + "/" + $0 } }
    }

    /// Whether what lies in a class's folder is a file of the kind or a folder to look into; notes why it is not.
    private mutating func isUsable(_ entry: FolderListing.Entry) -> Bool {
        var problem = Self.problem(of: entry)
        if problem == nil, entry.kind == .folder, entry.isLink {
            problem = FileProblem(path: entry.path, reason: "is a link to a folder, which is not followed", .special)
        }
        if problem == nil, entry.kind == .file, !kind.contains(entry.name) {
            problem = FileProblem(path: entry.path, reason: kind.reason(against: entry.name), .stray)
        }
        guard let problem else { return true }
        problems.append(problem)
        return false
    }

    private mutating func noteUnreadableNames(of listing: FolderListing, in folder: String) {
        problems += listing.unreadableNames.map {
            FileProblem(
                path: FolderListing.join(folder, $0), reason: "its name is not UTF-8; rename it for it to be used",
                .unreadable)
        }
    }

    /// Files and folders that systems and archives leave behind, and what is neither file nor folder.
    private static func problem(of entry: FolderListing.Entry) -> FileProblem? {
        if case .other(let reason) = entry.kind { return FileProblem(path: entry.path, reason: reason, .special) }
        if entry.name.hasPrefix(".") { return FileProblem(path: entry.path, reason: "is hidden", .hidden) }
        let litter = ["__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"]
        guard litter.contains(entry.name.lowercased()) else { return nil }
        return FileProblem(
            path: entry.path, reason: "was left by an operating system or archive program", .hidden)
    }
}
