#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What lies directly in a folder, sorted by name as Python sorts: by code points.
package struct FolderListing {
    /// A file or folder, with links followed.
    package struct Entry {
        package let name: String
        package let path: String
        package let kind: NodeKind
        package let isLink: Bool
    }

    package enum NodeKind: Equatable {
        case file
        case folder
        /// Something that is neither, or a link to nothing; the text says what.
        case other(String)
    }

    package private(set) var entries: [Entry] = []
    /// Names that are not UTF-8, as text for messages; such files cannot be addressed and are left out.
    package private(set) var unreadableNames: [String] = []

    package var files: [Entry] { entries.filter { $0.kind == .file } }
    package var folders: [Entry] { entries.filter { $0.kind == .folder } }

    /// - Throws: `GraftError` with code `file` where the folder cannot be listed.
    package init(of folder: String) throws(GraftError) {
        guard let directory = opendir(folder) else {
            throw FileBytes.systemError("the folder \(folder) cannot be read")
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                unreadableNames.append(bytes.printable)
                continue
            }
            guard name != ".", name != ".." else { continue }
            entries.append(Self.entry(name, in: folder))
        }
        entries.sort { Self.precedes($0.name, $1.name) }
        unreadableNames.sort()
    }

    /// Whether a text comes first in the order of code points, which is that of UTF-8 bytes.
    package static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// A path below a folder.
    package static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The last part of a path.
    package static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The path without links, or `nil` where there is no such file.
    package static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    /// What a path leads to; `nil` where there is nothing.
    package static func kind(of path: String) -> NodeKind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other("is a \(FileBytes.kind(of: status.st_mode)), not a file")
        }
    }

    private static func entry(_ name: String, in folder: String) -> Entry {
        let path = join(folder, name)
        var status = stat()
        let isLink = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
        let kind = kind(of: path) ?? .other(isLink ? "is a link that leads nowhere" : "cannot be examined")
        return Entry(name: name, path: path, kind: kind, isLink: isLink)
    }
}
