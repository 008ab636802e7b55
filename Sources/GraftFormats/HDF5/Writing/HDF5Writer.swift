import GraftGraph

/// An HDF5 file to be: groups, arrays and attributes, gathered in memory and written at the end.
///
/// Written by Graft itself and not by the C library, which does not survive a full disk. The layout is HDF5's oldest, as
/// h5py and so Keras write it, and every version of HDF5 reads it. Arrays are not copied: they are shared with whoever
/// holds them until they are written.
///
/// Not for use from several threads at once.
///
/// Source: "HDF5 File Format Specification Version 3.0" (The HDF Group).
package final class HDF5Writer {
    /// The group that holds everything, `/`.
    package let root = HDF5WriterGroup(name: "")

    /// A file without anything.
    package init() {}

    /// The file's bytes as they are now.
    func stream() -> ByteStream {
        let image = HDF5Image(of: root)
        var segments = [ByteStream.Segment.bytes(image.structures)]
        var position = image.structures.count
        for array in image.arrays {
            segments += [.zeros(array.address - position), array.content.segment]
            position = array.address + array.content.byteCount
        }
        return ByteStream(segments)
    }

    /// Writes the file to a path where nothing is yet.
    ///
    /// - Throws: `.file` where it exists or the disk refuses.
    package func write(to path: String) throws(GraftError) { try stream().write(to: path) }
}

/// A group of an HDF5 file to be.
package final class HDF5WriterGroup {
    enum Member {
        case group(HDF5WriterGroup)
        case array(Content)
    }

    /// An array's numbers.
    enum Content {
        case floats(Tensor)
        /// As many 32-bit floats, for who only asks how large the file will be.
        case room(Shape)
        case integers([Int64], Shape)

        var shape: Shape {
            switch self {
            case .floats(let tensor): tensor.shape
            case .room(let shape): shape
            case .integers(_, let shape): shape
            }
        }

        var segment: ByteStream.Segment {
            switch self {
            case .floats(let tensor): .floats(tensor)
            case .room(let shape): .zeros(MemoryLayout<Float>.stride * shape.elementCount)
            case .integers(let values, _): .integers(values)
            }
        }

        var byteCount: Int { segment.byteCount }
    }

    /// Text next to the group: one string, or a list.
    struct Attribute {
        let name: String
        let strings: [String]
        let isList: Bool

        /// The bytes that each string takes.
        var width: Int { max(1, strings.lazy.map(\.utf8.count).max() ?? 1) }
    }

    let name: String
    private(set) var members: [String: Member] = [:]
    private(set) var attributes: [Attribute] = []

    init(name: String) { self.name = name }

    // MARK: Members

    /// The group at a path, made with all that lead to it where they are not there yet.
    ///
    /// - Throws: `.argument` where an array has a name on the way.
    @discardableResult
    package func makeGroup(_ path: String) throws(GraftError) -> HDF5WriterGroup {
        var current = self
        for component in path.split(separator: "/").map(String.init) {
            switch current.members[component] {
            case .group(let group): current = group
            case .array: throw current.taken(component)
            case nil:
                let group = HDF5WriterGroup(name: current.path(of: component))
                try current.add(component, .group(group))
                current = group
            }
        }
        return current
    }

    /// Adds a tensor as an array of 32-bit floats; groups on the way are made.
    ///
    /// - Throws: `.argument` where the name is taken.
    package func write(_ tensor: Tensor, to path: String) throws(GraftError) { try add(.floats(tensor), at: path) }

    /// Adds the place of an array of 32-bit floats, of zeros; groups on the way are made.
    ///
    /// - Throws: `.argument` where the name is taken.
    func makeRoom(_ shape: Shape, at path: String) throws(GraftError) { try add(.room(shape), at: path) }

    /// Adds an array of 64-bit integers; groups on the way are made.
    ///
    /// - Precondition: `integers.count == shape.elementCount`.
    /// - Throws: `.argument` where the name is taken.
    package func write(_ integers: [Int64], shape: Shape, to path: String) throws(GraftError) {
        precondition(integers.count == shape.elementCount, "\(integers.count) numbers do not fill the shape \(shape)")
        try add(.integers(integers, shape), at: path)
    }

    private func add(_ content: Content, at path: String) throws(GraftError) {
        let parts = path.split(separator: "/").map(String.init)
        guard let last = parts.last else { throw GraftError(.argument, "an array needs a name") }
        try makeGroup(parts.dropLast().joined(separator: "/")).add(last, .array(content))
    }

    private func add(_ child: String, _ member: Member) throws(GraftError) {
        guard members[child] == nil else { throw taken(child) }
        guard !child.utf8.contains(0) else {
            throw GraftError(.argument, "a name in an HDF5 file cannot hold a zero byte")
        }
        members[child] = member
    }

    private func path(of child: String) -> String { name.isEmpty ? child : name + "/" + child }

    private func taken(_ child: String) -> GraftError {
        GraftError(
            .argument, "the HDF5 file has two members \"\(path(of: child))\"; give layers and variables other names")
    }

    // MARK: Attributes

    /// Adds one string as an attribute.
    ///
    /// - Throws: `.argument` where it is larger than HDF5's 64 KB or the name is taken.
    package func setAttribute(_ attribute: String, _ text: String) throws(GraftError) {
        try add(Attribute(name: attribute, strings: [text], isList: false))
    }

    /// Adds a list of strings as one attribute of fixed-length strings, as Keras's files hold them.
    ///
    /// - Throws: `.argument` where it is larger than HDF5's 64 KB or the name is taken.
    package func setAttribute(_ attribute: String, _ strings: [String]) throws(GraftError) {
        try add(Attribute(name: attribute, strings: strings, isList: true))
    }

    /// Adds a list of strings, cut into `name0`, `name1`, … where it is larger than one attribute may be, as Keras's
    /// `save_attributes_to_hdf5_group` cuts it: into the smallest number of nearly equal pieces that all fit.
    ///
    /// - Throws: `.argument` where one string alone is too large; else as ``setAttribute(_:_:)``.
    package func setChunkedAttribute(_ attribute: String, _ strings: [String]) throws(GraftError) {
        let width = Attribute(name: attribute, strings: strings, isList: true).width
        if strings.count * width <= Self.attributeByteLimit { return try setAttribute(attribute, strings) }
        let perPiece = max(1, Self.attributeByteLimit / width)
        let pieceCount = (strings.count + perPiece - 1) / perPiece
        var start = 0
        for piece in 0..<pieceCount {
            let count = strings.count / pieceCount + (piece < strings.count % pieceCount ? 1 : 0)
            try setAttribute("\(attribute)\(piece)", Array(strings[start..<start + count]))
            start += count
        }
    }

    /// Keras's HDF5_OBJECT_HEADER_LIMIT: a fact in an object's header has at most 64 KB.
    static let attributeByteLimit = 64_512

    private func add(_ attribute: Attribute) throws(GraftError) {
        guard attribute.width * attribute.strings.count <= Self.attributeByteLimit, attribute.name.utf8.count < 256
        else {
            throw GraftError(
                .argument, "the attribute \(attribute.name.prefix(60)) has more than \(Self.attributeByteLimit) bytes")
        }
        guard !attributes.contains(where: { $0.name == attribute.name }) else { throw taken(attribute.name) }
        attributes.append(attribute)
    }
}
