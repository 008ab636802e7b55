import GraftGraph

/// An array in an HDF5 file.
///
/// Only what Keras writes is accepted: floats of 16, 32 or 64 bits, bfloat16 as Keras marks it, and integers; in one piece
/// inside the file.
package struct HDF5Dataset: Sendable {
    /// Its path in the file.
    package let name: String
    /// The sizes of its axes.
    package let shape: Shape
    private let source: HDF5Source
    private let type: HDF5Datatype
    private let content: Content

    private enum Content: Sendable {
        case address(UInt64)
        case bytes(HDF5Bytes)
    }

    /// Reads and checks what the file says of the array; no number is read yet.
    init(_ object: HDF5Object, in objects: HDF5Objects, name: String) throws(GraftError) {
        let (source, header) = (objects.source, object.header)
        let place = "\(source.path): \(name)"
        guard let space = header.first(.dataspace), let type = header.first(.datatype),
            let layout = header.first(.layout)
        else { throw GraftError(.format, "\(place) should be a dataset and is something else") }
        guard header.first(.externalFiles) == nil else {
            throw GraftError(
                .format, "\(place) keeps its numbers in another file; Graft reads none but the one it was given")
        }
        guard let shape = try HDF5Dataspace(space).shape else { throw GraftError(.format, "\(place) holds no array") }
        (self.source, self.name, self.shape, self.type) = (source, name, shape, try HDF5Datatype(type))
        guard self.type.isNumber else {
            throw GraftError(
                .format, "\(place) holds values of a kind that Graft does not read; it reads floats and integers")
        }
        let (declared, overflow) = UInt64(shape.elementCount).multipliedReportingOverflow(
            by: UInt64(self.type.byteCount))
        let stored: UInt64
        var first: UInt64 = 0
        switch try HDF5Layout(layout) {
        case .compact(let bytes): (content, stored) = (.bytes(bytes), UInt64(bytes.count))
        case .contiguous(let address, let byteCount):
            (content, stored) = (.address(address), address == .max ? 0 : byteCount)
            if stored > 0 { try source.check(address, stored) }
            first = address
        case .chunked:
            throw GraftError(
                .format,
                "\(place) is stored in chunks\(header.first(.filters) == nil ? "" : " that are packed"), which Graft "
                    + "does not read and Keras does not write; `h5repack -l CONTI -f NONE old.h5 new.h5` rewrites it")
        case .virtual: throw GraftError(.format, "\(place) is a virtual dataset; Graft reads none")
        }
        guard !overflow, declared <= stored else {
            throw GraftError(
                .format,
                "\(place) declares the shape \(shape), \(declared) bytes, but stores \(stored); it is damaged or hostile"
            )
        }
        // Those of a compact array are in its header.
        let own = if case .address = content { declared } else { UInt64(0) }
        try objects.claimArray(header, name: name, address: first, byteCount: own)
    }

    /// Whether its numbers are integers.
    package var isInteger: Bool {
        if case .integer = type { return true }
        return false
    }

    /// Where this is, for messages.
    package var place: String { "\(source.path): \(name)" }

    /// The numbers as 32-bit floats, in a tensor of the dataset's shape.
    package func tensor() throws(GraftError) -> Tensor {
        try Tensor(checked: shape) { (values) throws(GraftError) in try read(into: values) }
    }

    /// Reads the numbers as 32-bit floats straight into memory that holds them all.
    ///
    /// - Precondition: `values.count == shape.elementCount`.
    package func read(into values: UnsafeMutableBufferPointer<Float>) throws(GraftError) {
        precondition(values.count == shape.elementCount, "\(values.count) places for \(shape.elementCount) numbers")
        if case .float(4, isBigEndian: false) = type, case .address(let address) = content, 1.littleEndian == 1 {
            return try source.read(at: address, into: UnsafeMutableRawBufferPointer(values))
        }
        let decode = HDF5Decoder(type)
        try forEachPiece { first, bytes in
            for index in 0..<bytes.count / type.byteCount {
                values[first + index] = decode.float(decode.bits(bytes, index))
            }
        }
    }

    /// The numbers as 64-bit integers.
    ///
    /// - Throws: `.format` where they are floats.
    package func integers() throws(GraftError) -> [Int64] {
        guard isInteger else { throw GraftError(.format, "\(place) should hold integers") }
        var values = [Int64](repeating: 0, count: shape.elementCount)
        let decode = HDF5Decoder(type)
        try forEachPiece { first, bytes in
            for index in 0..<bytes.count / type.byteCount {
                values[first + index] = decode.integer(decode.bits(bytes, index))
            }
        }
        return values
    }

    /// Hands out the stored bytes in pieces of whole elements, with the number of each piece's first element.
    private func forEachPiece(_ body: (Int, [UInt8]) -> Void) throws(GraftError) {
        let elementsPerPiece = 1 << 16
        for first in stride(from: 0, to: shape.elementCount, by: elementsPerPiece) {
            let count = min(elementsPerPiece, shape.elementCount - first) * type.byteCount
            switch content {
            case .bytes(var bytes):
                try bytes.skip(first * type.byteCount)
                body(first, Array(try bytes.take(count)))
            case .address(let address):
                var bytes = [UInt8](repeating: 0, count: count)
                try bytes.withUnsafeMutableBufferPointer { (buffer) throws(GraftError) in
                    let place = address + UInt64(first * type.byteCount)
                    try source.read(at: place, into: UnsafeMutableRawBufferPointer(buffer))
                }
                body(first, bytes)
            }
        }
    }
}

extension HDF5Datatype {
    /// Whether these are numbers that Graft reads; Keras stores bfloat16 as pairs of bytes without a meaning.
    var isNumber: Bool {
        switch self {
        case .float, .integer, .opaque(byteCount: 2): true
        default: false
        }
    }
}
