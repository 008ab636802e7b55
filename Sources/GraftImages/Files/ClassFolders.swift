import GraftGraph

/// A folder that holds one folder a class, read: the images of each class, and all that is something else.
struct ClassFolders {
    /// A class and its images.
    struct Class {
        let name: String
        /// The class's folder.
        let path: String
        /// The images' paths below the class's folder, in Keras's order: folder by folder, then by name.
        let images: [String]
    }

    let path: String
    /// The folders with at least one image in them, by name.
    private(set) var classes: [Class] = []
    /// Images that lie next to the class folders.
    private(set) var looseImageCount = 0
    private(set) var problems: [ImageProblem] = []

    /// Reads the names in the folder and in the folders below.
    init(at path: String) throws(GraftError) {
        self.path = path
        let listing = try FolderListing(of: path)
        noteUnreadableNames(of: listing, in: path)
        for entry in listing.entries { read(entry) }
    }

    /// All images below a folder, whatever folders they lie in, in Keras's order, and what was left out.
    ///
    /// - Throws: `GraftError` with code `file` where the folder cannot be read.
    static func allImages(
        below path: String
    ) throws(GraftError) -> (paths: [String], problems: [ImageProblem]) {
        _ = try FolderListing(of: path)
        var reader = ClassFolders(unread: path)
        let images = reader.images(in: path)
        return (images.map { FolderListing.join(path, $0) }, reader.problems)
    }

    private init(unread path: String) { self.path = path }

    private mutating func read(_ entry: FolderListing.Entry) {
        if let problem = Self.problem(of: entry) {
            problems.append(problem)
        } else if entry.kind == .file {
            let isImage = Self.isImage(entry.name)
            looseImageCount += isImage ? 1 : 0
            problems.append(
                ImageProblem(
                    path: entry.path,
                    reason: isImage ? "lies beside the class folders, so it has no class" : "is no class folder",
                    isImage ? .unlabelled : .stray))
        } else if entry.isLink, leadsBack(entry.path) {
            problems.append(ImageProblem(path: entry.path, reason: "is a link to a folder that holds it", .special))
        } else {
            let images = images(in: entry.path)
            if images.isEmpty {
                problems.append(
                    ImageProblem(path: entry.path, reason: "holds no pictures, so it is no class", .emptyClass))
            } else {
                classes.append(Class(name: entry.name, path: entry.path, images: images))
            }
        }
    }

    /// Whether following this link would come back to where it lies.
    private func leadsBack(_ link: String) -> Bool {
        guard let target = FolderListing.realPath(link), let here = FolderListing.realPath(path) else { return true }
        return here == target || here.hasPrefix(target.hasSuffix("/") ? target : target + "/")
    }

    /// All images below a class's folder. Links to further folders are not followed (nor does Keras follow them), so
    /// that links in a circle do no harm.
    private mutating func images(in classFolder: String) -> [String] {
        var found: [(folder: String, names: [String])] = []
        var waiting = [""]
        while let folder = waiting.popLast() {
            let path = folder.isEmpty ? classFolder : FolderListing.join(classFolder, folder)
            let listing: FolderListing
            do throws(GraftError) {
                listing = try FolderListing(of: path)
            } catch {
                problems.append(ImageProblem(path: path, reason: error.message, .unreadable))
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

    /// Whether what lies in a class's folder is an image or a folder to look into; notes why it is not.
    private mutating func isUsable(_ entry: FolderListing.Entry) -> Bool {
        var problem = Self.problem(of: entry)
        if problem == nil, entry.kind == .folder, entry.isLink {
            problem = ImageProblem(path: entry.path, reason: "is a link to a folder, which is not followed", .special)
        }
        if problem == nil, entry.kind == .file, !Self.isImage(entry.name) {
            problem = ImageProblem(path: entry.path, reason: Self.unknownExtension(entry.name), .stray)
        }
        guard let problem else { return true }
        problems.append(problem)
        return false
    }

    private mutating func noteUnreadableNames(of listing: FolderListing, in folder: String) {
        problems += listing.unreadableNames.map {
            ImageProblem(
                path: FolderListing.join(folder, $0), reason: "its name is not UTF-8; rename it for it to be used",
                .unreadable)
        }
    }

    /// Files and folders that systems and archives leave behind, and what is neither file nor folder.
    private static func problem(of entry: FolderListing.Entry) -> ImageProblem? {
        if case .other(let reason) = entry.kind { return ImageProblem(path: entry.path, reason: reason, .special) }
        if entry.name.hasPrefix(".") { return ImageProblem(path: entry.path, reason: "is hidden", .hidden) }
        let litter = ["__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"]
        guard litter.contains(entry.name.lowercased()) else { return nil }
        return ImageProblem(
            path: entry.path, reason: "was left by an operating system or archive program", .hidden)
    }

    /// Whether a file's extension is that of an image, in whatever case.
    static func isImage(_ name: String) -> Bool {
        fileExtension(of: name).map { ImageFormat.fileExtensions.contains($0) } ?? false
    }

    static func fileExtension(of name: String) -> String? {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        return String(name[name.index(after: dot)...]).lowercased()
    }

    private static func unknownExtension(_ name: String) -> String {
        guard let fileExtension = fileExtension(of: name) else {
            return "has no extension, so it is not taken for a picture"
        }
        return "has the extension .\(fileExtension), which is none of a picture that Graft reads"
    }
}
