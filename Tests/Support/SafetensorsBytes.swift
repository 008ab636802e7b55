import GraftGraph

/// The bytes of a safetensors file, put together without Graft's own writer, so that they can be wrong too.
public struct SafetensorsBytes: Sendable {
    /// An array.
    public struct Array: Sendable {
        /// Its name.
        public var name: String
        /// The format's word for the type of its elements.
        public var type: String
        /// The sizes of its axes.
        public var shape: [Int]
        /// Its elements.
        public var bytes: [UInt8]

        /// An array of these bytes.
        public init(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) {
            (self.name, self.type, self.shape, self.bytes) = (name, type, shape, bytes)
        }

        /// An array of 32-bit floats.
        public init(_ name: String, _ tensor: Tensor) {
            let bytes = tensor.scalars.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Swift.Array.init) }
            self.init(name, "F32", tensor.shape.dimensions, bytes)
        }
    }

    /// The arrays in the order of their bytes.
    public var arrays: [Array]

    /// A file of these arrays.
    public init(_ arrays: [Array]) { self.arrays = arrays }

    /// The whole file: length, header, arrays in their order.
    public var file: [UInt8] {
        var (entries, offset) = (["\"__metadata__\":{\"format\":\"pt\"}"], 0)
        for array in arrays {
            let end = offset + array.bytes.count
            entries.append(
                "\"\(array.name)\":{\"dtype\":\"\(array.type)\",\"shape\":\(array.shape),\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        return Self.file(header: "{\(entries.joined(separator: ","))}", data: arrays.flatMap(\.bytes))
    }

    /// A file of a header that is given as text.
    public static func file(header: String, data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Swift.Array.init) + header.utf8 + data
    }
}
