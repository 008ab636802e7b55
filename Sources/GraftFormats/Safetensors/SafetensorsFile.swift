import GraftModel

/// Arrays by name in a `.safetensors` file, as PyTorch's users share weights.
///
/// ```swift
/// let file = try SafetensorsFile(reading: "model.safetensors")
/// let kernel = try file.tensor("conv_stem.weight")   // float16 and bfloat16 become 32-bit floats
/// ```
///
/// Opening reads the header alone. The file is untrusted: what does not fit is an error, and no array takes memory that
/// the file's own size does not justify.
///
/// Source: huggingface/safetensors, README.md, "Format".
public struct SafetensorsFile: Sendable {
    /// An array, as the file's header describes it.
    public struct Entry: Hashable, Sendable {
        /// Its name, `conv_stem.weight`.
        public let name: String
        /// What its elements are.
        public let type: SafetensorsType
        /// The sizes of its axes, in the file's order.
        public let shape: Shape
    }

    /// The file.
    public let path: String
    /// What the file says about itself.
    public let metadata: [String: String]
    /// The arrays, in the order of their names.
    public let arrays: [Entry]
    private let places: [String: SafetensorsHeader.Entry]
    private let slice: FileSlice

    /// Opens a file and checks its header.
    ///
    /// - Throws: `.file` where it is missing or unreadable; `.format` where it is no safetensors file, is cut short, or
    ///   its arrays overlap, leave holes or do not have the bytes that their shapes need.
    public init(reading path: String) throws(GraftError) {
        try self.init(FileSlice(File(reading: path)), path: path)
    }

    /// The bytes of a file that are in memory already; `name` is what messages call it.
    package init(bytes: [UInt8], name: String) throws(GraftError) {
        try self.init(FileSlice(bytes, name: name), path: name)
    }

    private init(_ slice: FileSlice, path: String) throws(GraftError) {
        self.slice = slice
        let header = try SafetensorsHeader(of: slice)
        (self.path, metadata) = (path, header.metadata)
        places = Dictionary(header.entries.map { ($0.name, $0) }) { first, _ in first }
        arrays = header.entries.map { Entry(name: $0.name, type: $0.type, shape: $0.shape) }.sorted {
            $0.name < $1.name
        }
    }

    /// The array of a name as 32-bit floats, whichever numbers the file holds; those with more bits are rounded to the
    /// nearest.
    ///
    /// - Throws: `.format` where there is none of this name, or it holds truth values or 8-bit floats; `.file` where
    ///   the file became shorter since it was opened.
    public func tensor(_ name: String) throws(GraftError) -> Tensor {
        guard let entry = places[name] else {
            let nearest = NearestNames.find(name, among: arrays.map(\.name)).joined(separator: ", ")
            let hint = nearest.isEmpty ? "it is empty" : "the nearest are \(nearest)"
            throw GraftError(.format, "\(path) has no array \(name.debugDescription); \(hint)")
        }
        return try slice.tensor(entry)
    }
}

extension FileSlice {
    /// An array of a safetensors file as 32-bit floats.
    func tensor(_ entry: SafetensorsHeader.Entry) throws(GraftError) -> Tensor {
        guard entry.type.isReadable else {
            throw GraftError(
                .format,
                "\(name): the array \(entry.name.debugDescription) holds \(entry.type.rawValue), which Graft does not "
                    + "read; it reads floats of 16, 32 and 64 bits and integers")
        }
        return try Tensor(checked: entry.shape) { (values) throws(GraftError) in try read(entry, into: values) }
    }

    /// In pieces, so that the stored bytes take little memory compared with the elements.
    private func read(
        _ entry: SafetensorsHeader.Entry, into values: UnsafeMutableBufferPointer<Float>
    ) throws(GraftError) {
        if entry.type == .float32, 1.littleEndian == 1 {
            return try read(at: entry.offset, into: UnsafeMutableRawBufferPointer(values))
        }
        let (elementsPerPiece, width) = (1 << 16, entry.type.byteCount)
        var bytes = [UInt8](repeating: 0, count: min(elementsPerPiece, values.count) * width)
        for first in stride(from: 0, to: values.count, by: elementsPerPiece) {
            let piece = UnsafeMutableBufferPointer(
                rebasing: values[first..<min(first + elementsPerPiece, values.count)])
            try bytes.withUnsafeMutableBufferPointer { (bytes) throws(GraftError) in
                let stored = UnsafeMutableRawBufferPointer(
                    UnsafeMutableBufferPointer(rebasing: bytes[..<(piece.count * width)]))
                try read(at: entry.offset + UInt64(first * width), into: stored)
                entry.type.decode(UnsafeRawBufferPointer(stored), into: piece)
            }
        }
    }
}
