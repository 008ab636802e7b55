import GraftGraph

/// The first bytes of an HDF5 file: where it ends, and where its root group is.
///
/// Source: "HDF5 File Format Specification Version 3.0", section II.
struct HDF5Superblock {
    /// The address of the root group's header.
    let root: UInt64
    /// Where the file says that it ends.
    let byteCount: UInt64

    static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Reads the superblock, so that a download cut short, a web page saved under the wrong name and a file made of
    /// several are told apart in words.
    ///
    /// - Throws: `.format` where the file is not HDF5, is of a layout that no Keras file has (a block of user data in
    ///   front, several files), or is shorter than it says.
    init(of file: FileSlice) throws(GraftError) {
        let path = file.name
        let head = FileHead(byteCount: file.byteCount, bytes: try file.head(96))
        guard head.byteCount > 0 else { throw GraftError(.format, "\(path) is empty (0 bytes)") }
        guard head.bytes.starts(with: Self.signature) else {
            throw GraftError(.format, "\(path) is not an HDF5 file: it begins with \(head.preview)")
        }
        let cutShort = "\(path) is cut short or damaged in its first bytes"
        var bytes = HDF5Bytes(head.bytes.dropFirst(Self.signature.count), place: cutShort)
        let fields = try Self.fields(&bytes)
        guard fields.base == 0, fields.driver == .max else {
            throw GraftError(
                .format, "\(path) has user data in front or is one of several files; Graft reads plain HDF5 files only")
        }
        guard fields.end <= head.byteCount else {
            throw GraftError(
                .format,
                "\(path) is cut short: it should have \(fields.end) bytes and has \(head.byteCount); fetch it again")
        }
        (root, byteCount) = (fields.root, fields.end)
    }

    private struct Fields {
        var base: UInt64
        var end: UInt64
        var driver: UInt64
        var root: UInt64
    }

    private static func fields(_ bytes: inout HDF5Bytes) throws(GraftError) -> Fields {
        let version = try bytes.byte()
        guard version <= 3 else {
            throw GraftError(.format, "\(bytes.place): version \(version) of the HDF5 superblock is unknown")
        }
        if version <= 1 { try bytes.skip(4) }
        let (offsetSize, lengthSize) = (try bytes.byte(), try bytes.byte())
        guard offsetSize == 8, lengthSize == 8 else {
            throw GraftError(.format, "\(bytes.place): its addresses have \(offsetSize) bytes; Graft reads 8")
        }
        if version <= 1 {
            try bytes.skip(version == 0 ? 9 : 13)
            let base = try bytes.address()
            try bytes.skip(8)
            let (end, driver) = (try bytes.address(), try bytes.address())
            try bytes.skip(8)
            return Fields(base: base, end: end, driver: driver, root: try bytes.address())
        }
        try bytes.skip(1)
        let base = try bytes.address()
        try bytes.skip(8)
        return Fields(base: base, end: try bytes.address(), driver: .max, root: try bytes.address())
    }
}
