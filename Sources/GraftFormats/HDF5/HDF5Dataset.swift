internal import CHDF5
import GraftGraph

/// An array in an HDF5 file.
///
/// Only what Keras writes is accepted: floats of 16, 32 or 64 bits, bfloat16 as Keras marks it, and integers; stored in
/// one piece or in chunks, plain or with HDF5's own compression. A dataset in another file, a virtual one and one with
/// a filter that would load a plug-in are refused, and so is one that declares more than its stored bytes can hold.
package struct HDF5Dataset: Sendable {
    /// The number format in the file.
    package enum ElementType: String, Sendable { case float, integer, bfloat16 }

    let handle: HDF5Handle
    let file: HDF5OpenFile
    /// Its path in the file.
    package let name: String
    /// The sizes of its axes.
    package let shape: Shape
    /// The kind of its numbers.
    package let elementType: ElementType

    init(handle: HDF5Handle, file: HDF5OpenFile, name: String) throws(GraftError) {
        let checks = DatasetChecks(handle: handle, path: file.path, name: name)
        self.handle = handle
        self.file = file
        self.name = name
        shape = try checks.shape()
        elementType = try checks.elementType()
        try checks.checkStorage(of: shape)
    }

    /// The numbers as 32-bit floats, in a tensor of the dataset's shape.
    package func tensor() throws(GraftError) -> Tensor {
        do {
            return try Tensor(uninitialized: shape) { try read(into: $0) }
        } catch let error as GraftError {
            throw error
        } catch {
            throw GraftError(.format, "\(place) cannot be read", cause: error)
        }
    }

    /// Reads the numbers as 32-bit floats straight into memory that holds them all.
    ///
    /// - Precondition: `values.count == shape.elementCount`.
    package func read(into values: UnsafeMutableBufferPointer<Float>) throws(GraftError) {
        precondition(values.count == shape.elementCount, "\(values.count) places for \(shape.elementCount) numbers")
        guard let base = values.baseAddress, !values.isEmpty else { return }
        if elementType == .bfloat16 { return try readBrainFloats(into: values) }
        try HDF5Library.calls { () throws(GraftError) in
            try HDF5Library.check(graft_h5_read(handle.id, graft_h5_float32(), base), "\(place) is damaged")
        }
    }

    /// The numbers as 64-bit integers.
    package func integers() throws(GraftError) -> [Int64] {
        guard elementType == .integer else { throw GraftError(.format, "\(place) should hold integers") }
        var values = [Int64](repeating: 0, count: shape.elementCount)
        if values.isEmpty { return values }
        try HDF5Library.calls { () throws(GraftError) in
            try HDF5Library.check(graft_h5_read(handle.id, graft_h5_int64(), &values), "\(place) is damaged")
        }
        return values
    }

    /// Where this is, for messages.
    package var place: String { "\(file.path): \(name)" }

    /// Keras stores bfloat16 as opaque pairs of bytes: the upper halves of 32-bit floats, little-endian.
    private func readBrainFloats(into values: UnsafeMutableBufferPointer<Float>) throws(GraftError) {
        var halves = [UInt16](repeating: 0, count: values.count)
        try HDF5Library.calls { () throws(GraftError) in
            let type = try HDF5Handle(H5Dget_type(handle.id), "\(place) is damaged")
            try HDF5Library.check(graft_h5_read(handle.id, type.id, &halves), "\(place) is damaged")
        }
        for index in values.indices {
            values[index] = Float(bitPattern: UInt32(UInt16(littleEndian: halves[index])) << 16)
        }
    }
}

/// What is asked of a dataset before a byte of it is read.
private struct DatasetChecks {
    let handle: HDF5Handle
    let path: String
    let name: String

    /// Deflate packs at most 1,032 bytes into one; two of our allowed filters do not multiply that.
    static let largestExpansion: UInt64 = 1_032
    /// HDF5 allocates whole chunks; h5py's own guess is at most 1 MB, and HDF5's limit 4 GB.
    static let largestChunk: UInt64 = 1 << 28

    private var place: String { "\(path): \(name)" }
    private var damaged: String { "\(place) is damaged" }

    func shape() throws(GraftError) -> Shape {
        let space = try HDF5Handle(H5Dget_space(handle.id), damaged)
        switch H5Sget_simple_extent_type(space.id) {
        case H5S_SCALAR: return []
        case H5S_SIMPLE: break
        default: throw GraftError(.format, "\(place) holds no array")
        }
        let rank = H5Sget_simple_extent_ndims(space.id)
        guard (0...32).contains(rank) else { throw HDF5Library.failure(.format, damaged) }
        var sizes = [hsize_t](repeating: 0, count: Int(rank))
        try HDF5Library.check(H5Sget_simple_extent_dims(space.id, &sizes, nil), damaged)
        let shape = Shape(sizes.map { Int(exactly: $0) ?? -1 })
        guard shape.isValid else { throw GraftError(.format, "\(place) declares the impossible sizes \(sizes)") }
        return shape
    }

    func elementType() throws(GraftError) -> HDF5Dataset.ElementType {
        let type = try HDF5Handle(H5Dget_type(handle.id), damaged)
        let size = H5Tget_size(type.id)
        switch H5Tget_class(type.id) {
        case H5T_FLOAT where [2, 4, 8].contains(size): return .float
        case H5T_INTEGER where [1, 2, 4, 8].contains(size): return .integer
        case H5T_OPAQUE where size == 2: return .bfloat16
        default:
            throw GraftError(
                .format, "\(place) holds numbers of a kind that Graft does not read; it reads floats and integers")
        }
    }

    /// Compares the declared size with what is stored, before anybody allocates.
    func checkStorage(of shape: Shape) throws(GraftError) {
        let list = try HDF5Handle(H5Dget_create_plist(handle.id), damaged)
        guard H5Pget_external_count(list.id) == 0 else {
            throw GraftError(
                .format, "\(place) keeps its numbers in another file; Graft reads none but the one it was given")
        }
        let type = try HDF5Handle(H5Dget_type(handle.id), damaged)
        let (declared, overflow) = UInt64(shape.elementCount).multipliedReportingOverflow(
            by: UInt64(H5Tget_size(type.id)))
        let stored = H5Dget_storage_size(handle.id)
        let limit: UInt64
        switch H5Pget_layout(list.id) {
        case H5D_CONTIGUOUS, H5D_COMPACT: limit = stored
        case H5D_CHUNKED:
            try checkChunks(list, elementByteCount: UInt64(H5Tget_size(type.id)), rank: shape.rank)
            limit =
                H5Pget_nfilters(list.id) > 0 ? stored.multipliedReportingOverflow(by: Self.largestExpansion).0 : stored
        default: throw GraftError(.format, "\(place) is a virtual dataset; Graft reads none")
        }
        guard !overflow, declared <= limit else {
            throw GraftError(
                .format,
                "\(place) declares \(shape) numbers, \(declared) bytes, but stores \(stored); it is damaged or hostile")
        }
    }

    private func checkChunks(_ list: HDF5Handle, elementByteCount: UInt64, rank: Int) throws(GraftError) {
        var sizes = [hsize_t](repeating: 0, count: max(rank, 1))
        try HDF5Library.check(H5Pget_chunk(list.id, Int32(rank), &sizes), damaged)
        var byteCount = elementByteCount
        for size in sizes.prefix(rank) {
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: size)
            byteCount = product
            guard !overflow, byteCount <= Self.largestChunk else {
                throw GraftError(
                    .format, "\(place) has chunks of sizes \(sizes); at most \(Self.largestChunk >> 20) MB are read")
            }
        }
        for index in 0..<max(0, H5Pget_nfilters(list.id)) {
            var flags: UInt32 = 0
            var valueCount = 0
            let filter = H5Pget_filter2(list.id, UInt32(index), &flags, &valueCount, nil, 0, nil, nil)
            guard [H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32].contains(filter) else {
                throw GraftError(
                    .format,
                    "\(place) is packed with HDF5 filter number \(filter); Graft reads deflate, shuffle and fletcher32")
            }
        }
    }
}
