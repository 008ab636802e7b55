import GraftGraph
import Synchronization

/// An HDF5 file, open for reading.
///
/// Read by Graft itself and not by the C library, because files are untrusted: HDF5 1.10 ends the whole program on many
/// damaged ones. What Keras writes is read, which is HDF5's oldest and simplest layout, and of the newer one what small
/// files have: groups, attributes of text, arrays in one piece. Everything else is refused in words: links out of
/// the file or around in it, arrays in other files, virtual, in chunks or packed, members and attributes in dense form.
/// Every size is compared with the file's before anything is allocated.
///
/// Source: "HDF5 File Format Specification Version 3.0" (The HDF Group).
package final class HDF5File: Sendable {
    /// The path it was opened with, for messages.
    package let path: String
    /// The group that holds everything, `/`.
    package let root: HDF5Group

    /// Opens a file.
    ///
    /// - Throws: `.file` where it is missing or unreadable; `.format` where it is not HDF5, cut short or damaged.
    package convenience init(reading path: String) throws(GraftError) {
        try self.init(reading: FileSlice(File(reading: path)))
    }

    /// Opens a file that is part of another.
    init(reading file: FileSlice) throws(GraftError) {
        let superblock = try HDF5Superblock(of: file)
        let objects = HDF5Objects(source: HDF5Source(file, byteCount: superblock.byteCount))
        path = file.name
        root = try HDF5Group(objects.object(at: superblock.root), in: objects, name: "")
    }
}

/// A header with, for a group, its members.
struct HDF5Object: Sendable {
    let header: HDF5ObjectHeader
    let members: [String: HDF5Link]?
}

/// The objects of an open file, each read once.
final class HDF5Objects: Sendable {
    let source: HDF5Source
    private let known = Mutex<[UInt64: HDF5Object]>([:])

    init(source: HDF5Source) { self.source = source }

    func object(at address: UInt64) throws(GraftError) -> HDF5Object {
        if let object = known.withLock({ $0[address] }) { return object }
        let header = try HDF5ObjectHeader(at: address, in: source)
        let members = HDF5Members.isGroup(header) ? try HDF5Members(of: header, in: source).links : nil
        let object = HDF5Object(header: header, members: members)
        known.withLock { $0[address] = object }
        return object
    }
}
