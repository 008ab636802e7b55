import GraftGraph
import Synchronization

/// An HDF5 file, open for reading.
///
/// Read by Graft itself and not by the C library, because files are untrusted: HDF5 1.10 ends the whole program on many
/// damaged ones. What Keras writes is read, which is HDF5's oldest and simplest layout, and of the newer one what small
/// files have: groups, attributes of text, arrays in one piece. Everything else is refused in words: links out of
/// the file or around in it, arrays in other files, virtual, in chunks or packed, members and attributes in dense form.
/// Every size is compared with the file's before anything is allocated, and no byte is in two structures or arrays
/// (``FileBudget``). Shared may be what HDF5 shares: a group or array may have several names (hard links), one collection holds
/// texts of several attributes. But the numbers of an array are read by one of its names, and a text of the heap once.
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

/// A header with, for a group, its members and where its attributes are among the header's.
struct HDF5Object: Sendable {
    let header: HDF5ObjectHeader
    let members: [String: HDF5Link]?
    let attributes: HDF5Attributes?
}

/// The objects of an open file, each read once.
final class HDF5Objects: Sendable {
    let source: HDF5Source
    private let state = Mutex(State())

    private struct State {
        var known: [UInt64: HDF5Object] = [:]
        /// The name that each array was opened by, by its header's address.
        var arrays: [UInt64: String] = [:]
        var heap = HDF5Heap()
        var texts: [TextKey: [String]] = [:]
    }

    private struct TextKey: Hashable {
        let address: UInt64
        let attribute: String
    }

    init(source: HDF5Source) { self.source = source }

    /// The object whose header is there. Hard links may lead to one from several places: it is read once.
    func object(at address: UInt64) throws(GraftError) -> HDF5Object {
        try state.withLock { (state) throws(GraftError) in
            if let object = state.known[address] { return object }
            let header = try HDF5ObjectHeader(at: address, in: source)
            let isGroup = HDF5Members.isGroup(header)
            let object = HDF5Object(
                header: header, members: isGroup ? try HDF5Members(of: header, in: source).links : nil,
                attributes: isGroup ? try HDF5Attributes(of: header) : nil)
            state.known[address] = object
            return object
        }
    }

    /// Says that an array is read by this name: the first time its bytes become its own, and another name for the same
    /// array is refused, as it would fill memory with the same numbers again.
    func claimArray(_ header: HDF5ObjectHeader, name: String, address: UInt64, byteCount: UInt64) throws(GraftError) {
        try state.withLock { (state) throws(GraftError) in
            guard let known = state.arrays[header.address] else {
                if byteCount > 0 { try source.budget.claim(address, byteCount, for: "the array \(name)") }
                state.arrays[header.address] = name
                return
            }
            guard known == name else {
                throw GraftError(
                    .format,
                    "\(source.path): \"\(name)\" is a second link to the array \"\(known)\"; Graft reads an array by one name"
                )
            }
        }
    }

    /// The strings of an attribute, which are read once however often they are asked for: a heap gives each out once.
    func strings(of attribute: HDF5Attribute, at address: UInt64) throws(GraftError) -> [String] {
        let key = TextKey(address: address, attribute: attribute.name)
        return try state.withLock { (state) throws(GraftError) in
            if let known = state.texts[key] { return known }
            let texts = try attribute.strings(in: source, &state.heap)
            state.texts[key] = texts
            return texts
        }
    }
}
