import Foundation
import GraftModel
import GraftSystem

/// An array of an ONNX file, or one that follows from those of the file: of floats, or of whole numbers as shapes and indices
/// are.
struct ONNXConstant: Equatable {
    enum Numbers: Equatable {
        case floats([Float])
        case integers([Int])
    }

    var dimensions: [Int]
    var numbers: Numbers

    init(_ dimensions: [Int], _ numbers: Numbers) { (self.dimensions, self.numbers) = (dimensions, numbers) }

    var count: Int {
        switch numbers {
        case .floats(let values): values.count
        case .integers(let values): values.count
        }
    }

    var isInteger: Bool { if case .integers = numbers { true } else { false } }

    var floats: [Float] {
        switch numbers {
        case .floats(let values): values
        case .integers(let values): values.map(Float.init)
        }
    }

    /// As 64-bit floats: whole numbers up to 2⁵³ are exact, and larger ones stay larger than any size.
    var doubles: [Double] {
        switch numbers {
        case .floats(let values): values.map(Double.init)
        case .integers(let values): values.map(Double.init)
        }
    }

    /// As whole numbers, cut off towards 0.
    var integers: [Int] {
        switch numbers {
        case .floats(let values): values.map { Self.integer(Double($0)) }
        case .integers(let values): values
        }
    }

    /// The one number.
    var scalar: Double? { count == 1 ? doubles.first : nil }

    static func integer(_ value: Double) -> Int {
        guard !value.isNaN else { return 0 }
        return Int(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }

    /// Of numbers that were computed.
    init(_ dimensions: [Int], _ values: [Double], isInteger: Bool) {
        self.init(dimensions, isInteger ? .integers(values.map(Self.integer)) : .floats(values.map(Float.init)))
    }
}

/// A `TensorProto` as it stands in the file.
struct ONNXArrayMessage {
    var name = ""
    var external: [String: String] = [:]
    private var dimensions: [Int] = []
    private var type = 0
    private var raw: Range<Int>?
    private var floats: [Float] = []
    private var integers: [Int] = []
    private var doubles: [Double] = []
    private var isExternal = false

    mutating func take(
        _ field: Int, _ value: ProtobufReader.FieldContent, _ reader: ProtobufReader
    ) throws(GraftError) {
        switch (field, value) {
        case (1, _): dimensions += try reader.integers(value)
        case (2, .varint(let number)): type = Int(clamping: number)
        case (4, _): floats += try reader.floats(value)
        case (5, _), (7, _): integers += try reader.integers(value)
        case (8, .bytes(let range)): name = reader.text(range)
        case (9, .bytes(let range)): raw = range
        case (10, .bytes(let range)): doubles += try Self.doubles(reader.bytes[range])
        case (14, .varint(let number)): isExternal = number == 1
        default: break
        }
    }

    private static func doubles(_ bytes: ArraySlice<UInt8>) throws(GraftError) -> [Double] {
        guard bytes.count.isMultiple(of: 8) else {
            throw GraftError(.format, "\(bytes.count) bytes of 64-bit numbers are no multiple of 8")
        }
        return numbers(bytes, UInt64.self) { Double(bitPattern: UInt64(littleEndian: $0)) }
    }

    private static func numbers<Stored, Result>(
        _ bytes: ArraySlice<UInt8>, _ type: Stored.Type, _ convert: (Stored) -> Result
    ) -> [Result] where Stored: BitwiseCopyable {
        bytes.withUnsafeBytes { buffer in
            let size = MemoryLayout<Stored>.size
            return (0..<buffer.count / size).map {
                convert(buffer.loadUnaligned(fromByteOffset: size * $0, as: Stored.self))
            }
        }
    }

    // MARK: The array

    /// The types of elements that are read, with their sizes in bytes.
    private static let sizes = [1: 4, 2: 1, 3: 1, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2]

    /// The array's numbers.
    ///
    /// - Parameters:
    ///   - bytes: the file's.
    ///   - path: where the file is: what is kept beside it lies in the same folder.
    ///   - files: what was read there already.
    /// - Throws: `GraftError` with code `format` where they are not as many as its sizes say, or of no type that is read.
    func constant(
        of bytes: [UInt8], besides path: String, _ files: ONNXExternalFiles
    ) throws(GraftError) -> ONNXConstant {
        guard let size = Self.sizes[type] else {
            throw GraftError(
                .format,
                "its elements are of the type \(type); Graft reads floats of 16, 32 and 64 bits and whole numbers, no texts or "
                    + "quantized weights")
        }
        var count = 1
        for dimension in dimensions {
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !isTooLarge, product < 1 << 40 else {
                throw GraftError(.format, "its sizes \(dimensions.prefix(8)) are more than any machine holds")
            }
            count = product
        }
        let numbers: ONNXConstant.Numbers
        if isExternal {
            let stored = try files.read(external, count * size, besides: path)
            numbers = converted(stored[...])
        } else if let raw {
            guard raw.count == count * size else {
                throw GraftError(.format, "its sizes \(dimensions) need \(count * size) bytes; it has \(raw.count)")
            }
            numbers = converted(bytes[raw])
        } else {
            numbers = listed
        }
        let result = ONNXConstant(dimensions, numbers)
        guard result.count == count else {
            throw GraftError(.format, "its sizes \(dimensions) need \(count) numbers; it has \(result.count)")
        }
        return result
    }

    /// Numbers that stand in fields of their own.
    private var listed: ONNXConstant.Numbers {
        switch type {
        case 1: .floats(floats)
        case 11: .floats(doubles.map(Float.init))
        case 10: .floats(integers.map { Self.half(UInt16(truncatingIfNeeded: $0)) })
        case 16: .floats(integers.map { Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: $0)) << 16) })
        default: .integers(integers)
        }
    }

    private func converted(_ bytes: ArraySlice<UInt8>) -> ONNXConstant.Numbers {
        switch type {
        case 1: .floats(Self.numbers(bytes, UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) })
        case 11: .floats(Self.numbers(bytes, UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) })
        case 10: .floats(Self.numbers(bytes, UInt16.self) { Self.half(UInt16(littleEndian: $0)) })
        case 16: .floats(Self.numbers(bytes, UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) })
        case 7: .integers(Self.numbers(bytes, Int64.self) { Int(Int64(littleEndian: $0)) })
        case 6: .integers(Self.numbers(bytes, Int32.self) { Int(Int32(littleEndian: $0)) })
        case 5: .integers(Self.numbers(bytes, Int16.self) { Int(Int16(littleEndian: $0)) })
        case 3: .integers(Self.numbers(bytes, Int8.self) { Int($0) })
        default: .integers(Self.numbers(bytes, UInt8.self) { Int($0) })
        }
    }

    /// IEEE's 16-bit float, by its parts: not every processor has the type.
    private static func half(_ bits: UInt16) -> Float {
        let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
        let size: Float =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: Float(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
            }
        return bits & 0x8000 == 0 ? size : -size
    }
}

/// Files beside the model in which arrays are kept. No byte of them belongs to two arrays, so that what is read is no more than
/// what is there.
final class ONNXExternalFiles {
    private var claims: [String: ByteClaims] = [:]

    /// The bytes of an array.
    ///
    /// - Parameter description: `location`, `offset` and `length` as the file has them.
    /// - Throws: `GraftError` with code `format` for a file elsewhere, a link, and bytes that are not there.
    func read(_ description: [String: String], _ count: Int, besides path: String) throws(GraftError) -> [UInt8] {
        let name = description["location"] ?? ""
        guard !name.isEmpty, name != "..", name != ".", !name.contains(where: { "/\\\0".contains($0) }) else {
            throw GraftError(
                .format,
                "its numbers are said to be in “\(name.prefix(60))”; only files in the model's own folder are read")
        }
        let offset = description["offset"].map { UInt64($0) } ?? 0
        let length = description["length"].map { UInt64($0) } ?? UInt64(count)
        guard let offset, length == UInt64(count) else {
            throw GraftError(
                .format,
                "its sizes need \(count) bytes of \(name); offset and length are said to be "
                    + "\(description["offset"] ?? "0") and \(description["length"] ?? "")")
        }
        let other = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name).path
        guard (try? FileManager.default.destinationOfSymbolicLink(atPath: other)) == nil else {
            throw GraftError(
                .format, "its numbers are in \(name), which is a link; only files in the model's own folder are read")
        }
        let file = try File(reading: other)
        // What the file does not hold, no memory is taken for.
        let slice = try FileSlice(file, offset: offset, byteCount: UInt64(count), name: other)
        let range = Int(offset)..<Int(offset) + count
        guard claims[name, default: ByteClaims(byteCount: file.byteCount)].claim(range) else {
            throw GraftError(.format, "its numbers at byte \(offset) of \(name) belong to another array too")
        }
        return try slice.head(count)
    }
}
