import Foundation
import GraftFormats

/// A zip archive of images that is unpacked as a whole or not at all; anything else in it stays inside.
struct ImageArchive {
    let path: String
    /// The folder inside the archive whose contents are wanted.
    let folder: String

    /// More bytes than any archive of samples unpacks to.
    private static let largestByteCount: UInt64 = 4 << 30

    /// Unpacks the images into a new folder, which appears under its name when all are there.
    ///
    /// - Throws: `GraftError` with code `format` where a name leads out of the folder or the archive is damaged, `file`
    ///   where the disk refuses.
    func unpack(to target: String) throws {
        let archive = try ZipArchive(reading: path)
        let images = archive.members.filter { $0.name.hasPrefix(folder + "/") && Self.isImage($0.name) }
        guard !images.isEmpty else { throw GraftError(.format, "\(path) has no pictures in \(folder)") }
        try checkSize(of: images)
        let files = FileManager.default
        let tag = UUID().uuidString.prefix(8)
        let temporary = (target as NSString).deletingLastPathComponent + "/.\(folder).\(tag).partial"
        defer { try? files.removeItem(atPath: temporary) }
        for image in images {
            let file = "\(temporary)/\(try inner(image.name))"
            try files.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try archive.extract(image.name, to: file)
        }
        guard !files.fileExists(atPath: target) else { return }  // another process was faster
        try files.moveItem(atPath: temporary, toPath: target)
    }

    private func checkSize(of images: [ZipArchive.Member]) throws(GraftError) {
        var room = Self.largestByteCount
        for image in images {
            guard image.byteCount <= room else {
                throw GraftError(.format, "\(path) declares more than \(Self.largestByteCount) bytes of pictures")
            }
            room -= image.byteCount
        }
    }

    /// A member's path inside the folder.
    private func inner(_ name: String) throws(GraftError) -> Substring {
        let path = name.dropFirst(folder.count + 1)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !["", ".", ".."].contains($0) && !$0.contains("\\") }) else {
            throw GraftError(.format, "\(self.path) has a member whose name leads out of it: \(name.prefix(200))")
        }
        return path
    }

    private static func isImage(_ name: String) -> Bool {
        ["jpg", "jpeg", "png", "gif", "bmp", "webp"].contains((name as NSString).pathExtension.lowercased())
    }
}
