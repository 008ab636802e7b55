internal import CZip
import GraftModel

/// A zip archive, open for reading.
///
/// Archives are untrusted. A member is read only up to a limit that the caller states, and only while it expands by
/// less than ``largestExpansion``; its checksum must hold. Nothing is ever written to a path that an archive names.
///
/// Not for use from several threads at once.
package final class ZipArchive {
    /// What a member says of itself.
    package struct Member: Sendable {
        let index: zip_uint64_t
        /// Its name, with slashes.
        package let name: String
        /// Its size when unpacked, as declared.
        package let byteCount: UInt64
        /// Its size in the archive, as declared.
        package let storedByteCount: UInt64
    }

    /// Keras stores members as they are, and weights pack to no less than half. JSON packs to about a thirtieth. Keras
    /// itself draws the line at a hundred, which leaves room for an archive that somebody packed again.
    package static let largestExpansion: UInt64 = 100
    /// Members up to this size may expand by any factor: a bomb of a megabyte is none.
    package static let smallByteCount: UInt64 = 1 << 20
    /// What is read into memory as a whole may expand by this beyond ``smallByteCountInMemory``: the numbers and hashes of a
    /// checkpoint pack to half.
    static let largestExpansionInMemory: UInt64 = 4
    /// The configuration of a network of thousands of layers, packed however well.
    static let smallByteCountInMemory: UInt64 = 8 << 20
    /// An archive of Keras has three members and the assets of text layers.
    package static let memberLimit = 10_000

    /// The path it was opened with.
    package let path: String
    /// The members in the archive's order.
    package let members: [Member]
    private let archive: OpaquePointer

    /// Opens an archive and reads its table of contents.
    ///
    /// - Throws: `.file` where it is missing or unreadable; `.format` where it is no zip archive, cut short, has two
    ///   members of one name or more than ``memberLimit``.
    package init(reading path: String) throws(GraftError) {
        let head = try FileHead(path: path, count: 24)
        var code: Int32 = 0
        guard let archive = zip_open(path, ZIP_RDONLY, &code) else { throw Self.openFailure(path, head, code) }
        self.path = path
        self.archive = archive
        do throws(GraftError) {
            members = try Self.members(of: archive)
        } catch {
            zip_discard(archive)
            throw error.inside(path)
        }
    }

    deinit { zip_discard(archive) }

    /// The member of this name, if there is one.
    package func member(_ name: String) -> Member? { members.first { $0.name == name } }

    /// A member's bytes.
    ///
    /// - Parameter limit: The largest size, in bytes, that makes sense for this member.
    /// - Throws: `.format` where there is no such member, it is larger, expands too much or is damaged.
    package func read(_ name: String, limit: Int) throws(GraftError) -> [UInt8] {
        let member = try require(name)
        guard member.byteCount <= UInt64(limit) else {
            throw failure(name, "declares \(member.byteCount) bytes; at most \(limit) make sense")
        }
        guard
            member.byteCount <= Self.smallByteCountInMemory
                || member.byteCount / Self.largestExpansionInMemory <= member.storedByteCount
        else {
            throw failure(
                name, "declares \(member.byteCount) bytes and stores \(member.storedByteCount): a decompression bomb")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(member.byteCount))
        try forEachPiece(of: member) { (piece) throws(GraftError) in bytes += piece }
        return bytes
    }

    /// Writes a member's bytes to a file that must not exist yet, piece by piece.
    ///
    /// - Throws: as ``read(_:limit:)``; `.file` where the disk refuses or has less room than the member needs.
    package func extract(_ name: String, to target: String) throws(GraftError) {
        let member = try require(name)
        try DiskRoom(needed: Int(clamping: member.byteCount), folder: AtomicFile.folder(of: target)).check(for: target)
        let file = try File(creating: target)
        try forEachPiece(of: member) { (piece) throws(GraftError) in try file.write(piece) }
    }

    /// Reads a member to its end and keeps nothing: its checksum is what counts.
    ///
    /// - Throws: as ``read(_:limit:)``.
    func verify(_ name: String) throws(GraftError) {
        try forEachPiece(of: require(name)) { _ in }
    }

    /// A member where it lies in the archive, its checksum verified; `nil` where it is packed and has to be extracted.
    ///
    /// - Throws: as ``read(_:limit:)``.
    func slice(_ name: String) throws(GraftError) -> FileSlice? {
        let member = try require(name)
        guard let offset = try ZipDirectory(of: File(reading: path)).offset(of: member) else { return nil }
        try forEachPiece(of: member) { _ in }
        return try FileSlice(
            File(reading: path), offset: offset, byteCount: member.byteCount, name: place(of: name))
    }

    /// What to call a member in messages.
    func place(of member: String) -> String { "\(path) (\(member))" }

    private func require(_ name: String) throws(GraftError) -> Member {
        guard let member = member(name) else {
            let names = members.prefix(10).map(\.name).joined(separator: ", ")
            throw GraftError(.format, "\(path) has no member \(name); it has \(names.isEmpty ? "none" : names)")
        }
        guard
            member.byteCount <= Self.smallByteCount
                || member.byteCount / Self.largestExpansion <= member.storedByteCount
        else {
            throw failure(
                name, "declares \(member.byteCount) bytes and stores \(member.storedByteCount): a decompression bomb")
        }
        return member
    }

    /// Unpacks a member; what it really holds is compared with what it declares, and libzip checks its checksum.
    private func forEachPiece(
        of member: Member, _ body: (UnsafeRawBufferPointer) throws(GraftError) -> Void
    ) throws(GraftError) {
        guard let file = zip_fopen_index(archive, member.index, 0) else { throw failure(member.name, lastMessage) }
        defer { zip_fclose(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var total: UInt64 = 0
        while true {
            let count = zip_fread(file, buffer.baseAddress, UInt64(buffer.count))
            guard count >= 0 else {
                let words = String(cString: zip_file_strerror(file))
                throw failure(member.name, "is damaged (libzip: \(words))")
            }
            if count == 0 { break }
            total += UInt64(count)
            guard total <= member.byteCount else { throw failure(member.name, "is larger than it declares") }
            try body(UnsafeRawBufferPointer(rebasing: buffer[0..<Int(count)]))
        }
        guard total == member.byteCount else {
            throw failure(member.name, "declares \(member.byteCount) bytes and holds \(total)")
        }
    }

    private static func members(of archive: OpaquePointer) throws(GraftError) -> [Member] {
        let count = zip_get_num_entries(archive, 0)
        guard (0...zip_int64_t(memberLimit)).contains(count) else {
            throw GraftError(.format, "it has \(count) members; at most \(memberLimit) are read")
        }
        var members: [Member] = []
        var names: Set<String> = []
        for index in 0..<zip_uint64_t(count) {
            var status = zip_stat_t()
            let known = zip_uint64_t(ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE)
            guard zip_stat_index(archive, index, 0, &status) == 0, status.valid & known == known, let name = status.name
            else { throw GraftError(.format, "its table of contents is damaged") }
            let text = String(cString: name)
            guard names.insert(text).inserted else { throw GraftError(.format, "it has two members called \(text)") }
            members.append(
                Member(index: index, name: text, byteCount: status.size, storedByteCount: status.comp_size))
        }
        return members
    }

    private static func openFailure(_ path: String, _ head: FileHead, _ code: Int32) -> GraftError {
        if head.byteCount == 0 { return GraftError(.format, "\(path) is empty (0 bytes)") }
        guard head.bytes.starts(with: [0x50, 0x4B]) else {
            return GraftError(.format, "\(path) is not a zip archive: it begins with \(head.preview)")
        }
        return GraftError(.format, "\(path) is cut short or damaged (libzip: \(ZipMessage.text(of: code)))")
    }

    private func failure(_ member: String, _ what: String) -> GraftError {
        GraftError(.format, "\(path): the member \(member) \(what)")
    }

    private var lastMessage: String { "cannot be read (libzip: \(String(cString: zip_strerror(archive))))" }
}

/// libzip's words for its error numbers.
enum ZipMessage {
    static func text(of code: Int32) -> String {
        var error = zip_error_t()
        zip_error_init_with_code(&error, code)
        defer { zip_error_fini(&error) }
        return String(cString: zip_error_strerror(&error))
    }
}
