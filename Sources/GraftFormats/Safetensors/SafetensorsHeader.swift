import GraftModel

/// What the header of a safetensors file says: eight bytes with its length, the header as JSON, then the bytes of the
/// arrays one after the other.
///
///     {"conv.weight": {"dtype": "F16", "shape": [32, 3, 3, 3], "data_offsets": [0, 1728]}, …}
///
/// Untrusted: lengths are compared with one another and with the file's before anything is allocated. As the format
/// asks, no name is twice, and the arrays fill the bytes after the header without holes and without overlaps: no
/// byte is read twice, so that a small file cannot ask for much memory.
///
/// Source: huggingface/safetensors, README.md, "Format"; safetensors/src/tensor.rs, `Metadata::validate`.
struct SafetensorsHeader: Sendable {
    /// An array in the file.
    struct Entry: Sendable {
        let name: String
        let type: SafetensorsType
        let shape: Shape
        /// Its first byte, counted from the file's beginning.
        let offset: UInt64
        /// How many bytes it has.
        let byteCount: UInt64
    }

    /// The format's own limit; ten thousand arrays have about a megabyte of header.
    static let byteLimit = 100_000_000

    /// The arrays in the order of their bytes.
    let entries: [Entry]
    /// What the file says about itself, text by name.
    let metadata: [String: String]

    /// Reads and checks a header; no array is read.
    ///
    /// - Throws: `.format` where it is no safetensors file, is cut short or damaged.
    init(of slice: FileSlice) throws(GraftError) {
        let length = try Self.length(of: slice)
        let text = Array(try slice.head(8 + length).dropFirst(8))
        guard text.first == UInt8(ascii: "{") else {
            throw GraftError(.format, "\(slice.name) is not a safetensors file: its header is not a JSON object")
        }
        let header: Configuration
        do throws(GraftError) { header = try JSONReader.read(text, refusesRepeatedNames: true) } catch {
            throw error.inside("\(slice.name), header")
        }
        let dataStart = UInt64(8 + length)
        let dataByteCount = slice.byteCount - dataStart
        var (entries, metadata) = ([Entry](), [String: String]())
        for (name, value) in header.members ?? [:] {
            if name == "__metadata__" {
                metadata = try Self.metadata(value, slice.name)
            } else {
                entries.append(try Self.entry(name, value, dataStart, dataByteCount, slice.name))
            }
        }
        // Empty arrays before the one that begins where they are.
        entries.sort { ($0.offset, $0.byteCount, $0.name) < ($1.offset, $1.byteCount, $1.name) }
        try Self.checkThatNothingOverlaps(entries, dataStart, dataByteCount, slice.name)
        (self.entries, self.metadata) = (entries, metadata)
    }

    private static func length(of slice: FileSlice) throws(GraftError) -> Int {
        let start = try slice.head(8)
        guard start.count == 8 else {
            throw GraftError(
                .format, "\(slice.name) is cut short: a safetensors file has at least 8 bytes, this has \(start.count)")
        }
        let length = start.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(byteLimit) else {
            throw GraftError(
                .format,
                "\(slice.name) is not a safetensors file, or damaged: it declares a header of \(length) bytes, the "
                    + "format allows \(byteLimit)")
        }
        guard length <= slice.byteCount - 8 else {
            throw GraftError(
                .format,
                "\(slice.name) is cut short: its header should have \(length) bytes, \(slice.byteCount - 8) follow"
            )
        }
        return Int(length)
    }

    private static func metadata(_ value: Configuration, _ file: String) throws(GraftError) -> [String: String] {
        let texts = value.members?.compactMapValues(\.text)
        guard let members = value.members, let texts, texts.count == members.count else {
            throw GraftError(.format, "\(file): __metadata__ should be texts by name")
        }
        return texts
    }

    private static func entry(
        _ name: String, _ value: Configuration, _ dataStart: UInt64, _ dataByteCount: UInt64, _ file: String
    ) throws(GraftError) -> Entry {
        func failure(_ problem: String) -> GraftError {
            GraftError(
                .format, "\(file): the array \(name.debugDescription) \(problem); the file is damaged or hostile")
        }
        guard let typeName = value["dtype"]?.text else { throw failure("has no dtype") }
        guard let type = SafetensorsType(rawValue: typeName) else {
            let known = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraftError(
                .format,
                "\(file): the array \(name.debugDescription) is of a type that Graft does not know, "
                    + "\(typeName.debugDescription); it knows \(known)")
        }
        guard let sizes = value["shape"]?.elements, let shape = shape(sizes) else {
            throw failure("has no shape of whole numbers that can be counted")
        }
        guard let offsets = value["data_offsets"]?.elements, offsets.count == 2, let start = offsets[0].integer,
            let end = offsets[1].integer, start >= 0, end >= start
        else { throw failure("has no data_offsets, its first byte and the one behind its last") }
        guard UInt64(end) <= dataByteCount else {
            throw GraftError(
                .format,
                "\(file) is cut short or damaged: the array \(name.debugDescription) should end at byte \(end) of the "
                    + "data, which has \(dataByteCount)")
        }
        guard end - start == shape.elementCount * type.byteCount else {
            throw failure(
                "of \(typeName) and shape \(shape) needs \(shape.elementCount * type.byteCount) bytes and has "
                    + "\(end - start)")
        }
        return Entry(
            name: name, type: type, shape: shape, offset: dataStart + UInt64(start), byteCount: UInt64(end - start))
    }

    private static func shape(_ sizes: [Configuration]) -> Shape? {
        let shape = Shape(sizes.compactMap(\.integer))
        // `isValid`: eight bytes an element can be counted, with no negative size.
        return shape.rank == sizes.count && shape.isValid ? shape : nil
    }

    private static func checkThatNothingOverlaps(
        _ entries: [Entry], _ dataStart: UInt64, _ dataByteCount: UInt64, _ file: String
    ) throws(GraftError) {
        var (end, previous) = (dataStart, "the header")
        for entry in entries {
            guard entry.offset == end else {
                let name = entry.name.debugDescription
                let problem = entry.offset < end ? "overlaps with \(previous)" : "leaves a hole behind \(previous)"
                throw GraftError(.format, "\(file): the array \(name) \(problem); the file is damaged or hostile")
            }
            (end, previous) = (entry.offset + entry.byteCount, entry.name.debugDescription)
        }
        guard end == dataStart + dataByteCount else {
            throw GraftError(
                .format,
                "\(file) is damaged or hostile: \(dataStart + dataByteCount - end) bytes behind its last array belong to none"
            )
        }
    }
}
