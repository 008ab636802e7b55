import GraftGraph

/// Arrays in numpy's `.npy` files: 32- and 64-bit floats and integers, little-endian, in C order.
///
/// Untrusted: the header's sizes are compared with the file's size before anything is allocated.
///
/// Source: numpy/lib/format.py. `numpy.save("a.npy", array)` makes such a file, `numpy.load("a.npy")` reads it.
public enum NumpyFile {
    /// Reads an array: 32-bit integers as they are, all others as 32-bit floats.
    ///
    /// - Throws: `.file` where the file is missing or unreadable; `.format` where it is no `.npy` file, of another kind
    ///   of numbers, in Fortran's order, or not of the size that it declares.
    public static func tensor(contentsOf path: String) throws(GraftError) -> Tensor {
        let file = try OpenNumpyFile(reading: path)
        switch file.header.element {
        case .float32, .int32:
            let type: ElementType = file.header.element == .int32 ? .int32 : .float32
            return try Tensor(uninitialized: file.header.shape, as: type) { (bytes) throws(GraftError) in
                try file.read(into: bytes)
            }
        case .float64: return Tensor(try file.values(of: Double.self).map(Float.init), shape: file.header.shape)
        case .int64: return Tensor(try file.values(of: Int64.self).map(Float.init), shape: file.header.shape)
        }
    }

    /// Reads an array of 64-bit floats.
    public static func doubles(contentsOf path: String) throws(GraftError) -> (shape: Shape, values: [Double]) {
        let file = try OpenNumpyFile(reading: path, expecting: .float64)
        return (file.header.shape, try file.values(of: Double.self))
    }

    /// Reads an array of 64-bit integers.
    public static func integers(contentsOf path: String) throws(GraftError) -> (shape: Shape, values: [Int64]) {
        let file = try OpenNumpyFile(reading: path, expecting: .int64)
        return (file.header.shape, try file.values(of: Int64.self))
    }

    /// Writes a tensor, of 32-bit integers or floats; a file that is there is replaced once the new one is complete.
    ///
    /// - Throws: `.file` where the disk refuses.
    public static func write(_ tensor: Tensor, to path: String) throws(GraftError) {
        let (stored, element): (Tensor, NumpyHeader.Element) =
            tensor.elementType == .int32 ? (tensor, .int32) : (tensor.stored(as: .float32), .float32)
        try stored.withUnsafeStoredBytes { (bytes) throws(GraftError) in
            try write(bytes, element, shape: tensor.shape, to: path)
        }
    }

    /// Writes 64-bit floats in row-major order.
    ///
    /// - Precondition: `values.count == shape.elementCount`.
    public static func write(_ values: [Double], shape: Shape, to path: String) throws(GraftError) {
        precondition(values.count == shape.elementCount, "\(values.count) numbers do not fill the shape \(shape)")
        try values.withUnsafeBufferPointer { (values) throws(GraftError) in
            try write(UnsafeRawBufferPointer(values), .float64, shape: shape, to: path)
        }
    }

    /// Writes 64-bit integers in row-major order.
    ///
    /// - Precondition: `values.count == shape.elementCount`.
    public static func write(_ values: [Int64], shape: Shape, to path: String) throws(GraftError) {
        precondition(values.count == shape.elementCount, "\(values.count) numbers do not fill the shape \(shape)")
        try values.withUnsafeBufferPointer { (values) throws(GraftError) in
            try write(UnsafeRawBufferPointer(values), .int64, shape: shape, to: path)
        }
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, _ element: NumpyHeader.Element, shape: Shape, to path: String
    ) throws(GraftError) {
        let header = NumpyHeader(element: element, shape: shape).encoded()
        try AtomicFile.write(to: path, byteCount: header.count + bytes.count) { (temporary) throws(GraftError) in
            let file = try File(filling: temporary)
            try file.write(header)
            try file.write(bytes)
        }
    }
}

extension File {
    /// Writes all of these bytes at the position.
    func write(_ bytes: [UInt8]) throws(GraftError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(GraftError) in try write(UnsafeRawBufferPointer(bytes)) }
    }
}

/// A `.npy` file whose header is read and agrees with its size; the position is at the numbers.
private struct OpenNumpyFile {
    let header: NumpyHeader
    private let file: File

    init(reading path: String, expecting element: NumpyHeader.Element? = nil) throws(GraftError) {
        file = try File(reading: path)
        do throws(GraftError) {
            let start = try file.read(upTo: 12)
            let extent = try NumpyHeader.extent(of: start)
            let rest = try file.read(upTo: max(0, extent.end - start.count))
            guard start.count + rest.count >= extent.end else { throw GraftError(.format, "cut short in its header") }
            let text = (start + rest)[extent.textStart..<extent.end]
            guard let text = String(validating: text, as: UTF8.self) else {
                throw GraftError(.format, "the header is not text")
            }
            header = try NumpyHeader(text: text)
            try file.seek(to: extent.end)
            try Self.check(header, element, byteCount: UInt64(file.byteCount), headerByteCount: extent.end)
        } catch {
            throw error.inside(path)
        }
    }

    private static func check(
        _ header: NumpyHeader, _ element: NumpyHeader.Element?, byteCount: UInt64, headerByteCount: Int
    ) throws(GraftError) {
        let expected = UInt64(header.shape.elementCount) * UInt64(header.element.byteCount) + UInt64(headerByteCount)
        guard byteCount == expected else {
            throw GraftError(
                .format, "the shape \(header.shape) needs \(expected) bytes, the file has \(byteCount)")
        }
        if let element, header.element != element {
            throw GraftError(
                .format, "numbers of the kind \"\(header.element.rawValue)\", expected \"\(element.rawValue)\"")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(GraftError) {
        guard try file.read(into: buffer) == buffer.count else {
            throw GraftError(.file, "\(file.path) became shorter")
        }
    }

    func values<Value: AdditiveArithmetic>(of type: Value.Type) throws(GraftError) -> [Value] {
        var values = [Value](repeating: .zero, count: header.shape.elementCount)
        try values.withUnsafeMutableBufferPointer { (values) throws(GraftError) in
            try read(into: UnsafeMutableRawBufferPointer(values))
        }
        return values
    }
}
