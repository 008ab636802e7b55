import GraftGraph

extension HDF5Group {
    /// Whether there is an attribute of this name.
    package func hasAttribute(_ attribute: String) -> Bool { (try? self.attribute(attribute)) != nil }

    /// The strings of an attribute (a list, or one), of fixed or variable length; `nil` where there is no such attribute.
    ///
    /// An empty list counts whatever its declared type is: Keras writes `[]` as an array of no floats.
    ///
    /// - Throws: `.format` where it is no text, or larger than the file.
    package func strings(attribute: String) throws(GraftError) -> [String]? {
        guard let attribute = try self.attribute(attribute) else { return nil }
        return try objects.strings(of: attribute, at: object.header.address)
    }

    /// The strings of an attribute that Keras may have cut into `name0`, `name1`, …, because HDF5 keeps at most 64 KB
    /// in one (Keras's `load_attributes_from_hdf5_group`); `nil` where there is neither `name` nor `name0`.
    package func strings(chunkedAttribute attribute: String) throws(GraftError) -> [String]? {
        if let whole = try strings(attribute: attribute) { return whole }
        var pieces: [[String]] = []
        while let piece = try strings(attribute: "\(attribute)\(pieces.count)") { pieces.append(piece) }
        return pieces.isEmpty ? nil : Array(pieces.joined())
    }

    private func attribute(_ name: String) throws(GraftError) -> HDF5Attribute? {
        if let message = object.attributes?[name] { return try HDF5Attribute(message, place: place) }
        if var information = object.header.first(.attributeInformation) {
            guard try information.byte() == 0 else { throw information.unexpected("the attributes of a group") }
            if try information.byte() & 1 != 0 { try information.skip(2) }
            guard try information.address() == .max else {
                throw GraftError(
                    .format,
                    "\(place) keeps its attributes in HDF5's newer dense form, which Graft does not read; "
                        + "`h5repack --low=0 --high=0 old.h5 new.h5` rewrites it")
            }
        }
        return nil
    }
}

/// The attributes of a group by their names, each looked at once.
struct HDF5Attributes {
    private let messages: [String: HDF5Bytes]

    /// - Throws: `.format` where one has no name that can be read, or two have the same.
    init(of header: HDF5ObjectHeader) throws(GraftError) {
        var messages: [String: HDF5Bytes] = [:]
        for message in header.all(.attribute) {
            let name = try HDF5Attribute.name(of: message)
            guard messages.updateValue(message, forKey: name) == nil else {
                throw message.unexpected("a second attribute \"\(name)\" of a group")
            }
        }
        self.messages = messages
    }

    /// The message of an attribute, if there is one of this name.
    subscript(name: String) -> HDF5Bytes? { messages[name] }
}

/// A fact noted next to a group.
///
/// Source: "HDF5 File Format Specification Version 3.0", section IV.A.2.m.
struct HDF5Attribute {
    let name: String
    private let type: HDF5Datatype
    private let space: HDF5Dataspace
    private let content: HDF5Bytes
    private let place: String

    /// Reads the name alone, of an attribute of any kind.
    static func name(of message: HDF5Bytes) throws(GraftError) -> String {
        let (_, pieces, _) = try parts(of: message)
        return try name(pieces[0])
    }

    init(_ message: HDF5Bytes, place: String) throws(GraftError) {
        let (sharesType, pieces, content) = try Self.parts(of: message)
        guard !sharesType else {
            throw GraftError(.format, "\(place): an attribute shares its type with others, which Graft does not read")
        }
        name = try Self.name(pieces[0])
        type = try HDF5Datatype(pieces[1])
        space = try HDF5Dataspace(pieces[2])
        self.content = content
        self.place = "\(place): attribute \"\(name)\""
    }

    /// The name, the type and the shape; behind them what it says.
    private static func parts(
        of message: HDF5Bytes
    ) throws(GraftError) -> (sharesType: Bool, pieces: [HDF5Bytes], content: HDF5Bytes) {
        var bytes = message
        let version = try bytes.byte()
        guard (1...3).contains(version) else { throw bytes.unexpected("an attribute") }
        let sharesType = try bytes.byte() & 3 != 0 && version != 1
        let sizes = [try bytes.size(2), try bytes.size(2), try bytes.size(2)]
        if version == 3 { try bytes.skip(1) }
        var pieces: [HDF5Bytes] = []
        for size in sizes {
            pieces.append(try bytes.piece(size))
            // The first version pads each piece to a multiple of 8 bytes.
            if version == 1 { try bytes.skip((8 - size % 8) % 8) }
        }
        return (sharesType, pieces, bytes)
    }

    private static func name(_ bytes: HDF5Bytes) throws(GraftError) -> String {
        var bytes = bytes
        return String(decoding: try bytes.take(bytes.count).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The strings, of which those in the heap are taken from it.
    func strings(in source: HDF5Source, _ heap: inout HDF5Heap) throws(GraftError) -> [String] {
        let count = space.shape?.elementCount ?? 0
        if count == 0 { return [] }
        guard count <= content.count else { throw GraftError(.format, "\(place) is damaged: it is cut short") }
        try source.budget.take(items: count)
        var content = content
        var strings: [String] = []
        for _ in 0..<count {
            let bytes: ArraySlice<UInt8>
            switch type {
            case .fixedString(let width): bytes = try content.take(width)
            case .variableString: bytes = try heap.takeString(&content, in: source)
            default: throw GraftError(.format, "\(place) should be text")
            }
            guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
                throw GraftError(.format, "\(place) is damaged: it is not UTF-8 text")
            }
            strings.append(text)
        }
        return strings
    }
}

/// The heap where strings of variable length lie, several in one collection. Each is given out once.
///
/// Source: section III.E.
struct HDF5Heap {
    /// The collections that were read: where the bytes of each object are that nobody took yet.
    private var collections: [UInt64: [UInt64: ArraySlice<UInt8>]] = [:]

    /// The string that a reference of 16 bytes means: length, address of the collection, number in it.
    mutating func takeString(_ reference: inout HDF5Bytes, in source: HDF5Source) throws(GraftError) -> ArraySlice<
        UInt8
    > {
        let length = try reference.size(4)
        let address = try reference.address()
        let index = try reference.number(4)
        if length == 0 { return [] }
        if collections[address] == nil { collections[address] = try Self.read(at: address, in: source) }
        guard let bytes = collections[address]?.removeValue(forKey: index), bytes.count >= length else {
            throw source.damaged("a string of \(length) bytes", at: address)
        }
        return bytes.prefix(length)
    }

    private static func read(at address: UInt64, in source: HDF5Source) throws(GraftError) -> [UInt64: ArraySlice<
        UInt8
    >] {
        var head = try source.structure(at: address, count: 16)
        try head.expect("GCOL")
        try head.skip(4)
        let count = try head.number(8)
        guard count >= 16 else { throw head.unexpected("a collection of strings") }
        var body = try source.structure(at: address + 16, count: count - 16)
        var objects: [UInt64: ArraySlice<UInt8>] = [:]
        while body.count >= 16 {
            let index = try body.number(2)
            if index == 0 { break }
            try source.budget.take(items: 1)
            try body.skip(6)
            let size = try body.size(8)
            objects[index] = try body.take(size)
            try body.skip(min(body.count, (8 - size % 8) % 8))
        }
        return objects
    }
}
