import Foundation

/// What a folder holds, and what may still be put into it.
package struct FolderState: Sendable, Equatable {
    package let path: String
    package let exists: Bool
    /// All files in it and in its folders.
    package let fileCount: Int
    package let byteCount: Int
    /// What its disk has left for this user; `nil` where the system does not say.
    package let freeByteCount: Int?
    /// Whether this process may make files in it, or may make it where it is not there.
    package let isWritable: Bool

    package init(
        path: String, exists: Bool, fileCount: Int, byteCount: Int, freeByteCount: Int?, isWritable: Bool
    ) {
        (self.path, self.exists, self.fileCount, self.byteCount) = (path, exists, fileCount, byteCount)
        (self.freeByteCount, self.isWritable) = (freeByteCount, isWritable)
    }

    /// Looks at a folder, and reads no file. What cannot be looked at counts as nothing.
    package init(at path: String) {
        let place = Self.nearestThatExists(path)
        let sizes = Self.sizes(ofFilesIn: path)
        self.init(
            path: path, exists: place == path, fileCount: sizes.count, byteCount: sizes.reduce(0, +),
            freeByteCount: Disk.freeByteCount(at: place),
            isWritable: Self.isFolder(place) && access(place, W_OK | X_OK) == 0)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The folder, or the one above it that it would be made in.
    private static func nearestThatExists(_ path: String) -> String {
        var url = URL(filePath: path)
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" { url.deleteLastPathComponent() }
        return url.path
    }

    private static func sizes(ofFilesIn path: String) -> [Int] {
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .fileSizeKey]
        guard
            let files = FileManager.default.enumerator(
                at: URL(filePath: path), includingPropertiesForKeys: Array(keys))
        else { return [] }
        return files.compactMap { file in
            let values = try? (file as? URL)?.resourceValues(forKeys: keys)
            return values?.isRegularFile == true ? values?.fileSize ?? 0 : nil
        }
    }
}
