import GraftGraph

/// Reads what is in a group, in the two ways that HDF5 keeps it.
struct HDF5Members {
    let source: HDF5Source
    private(set) var links: [String: HDF5Link] = [:]

    init(of header: HDF5ObjectHeader, in source: HDF5Source) throws(GraftError) {
        self.source = source
        if var table = header.first(.symbolTable) {
            try readTable(tree: table.address(), heap: table.address())
        }
        for message in header.all(.link) {
            let (name, link) = try HDF5Link.named(message)
            try add(name, link)
        }
        if var information = header.first(.linkInformation) {
            guard try information.byte() == 0 else { throw information.unexpected("a group") }
            if try information.byte() & 1 != 0 { try information.skip(8) }
            guard try information.address() == .max else {
                throw GraftError(
                    .format,
                    "\(source.path) keeps a group's members in HDF5's newer dense form, which Graft does not "
                        + "read; `h5repack --low=0 --high=0 old.h5 new.h5` rewrites it")
            }
        }
    }

    /// Whether a header is that of a group.
    static func isGroup(_ header: HDF5ObjectHeader) -> Bool {
        header.first(.symbolTable) != nil || header.first(.linkInformation) != nil || header.first(.link) != nil
    }

    private mutating func add(_ name: String, _ link: HDF5Link) throws(GraftError) {
        try source.budget.take(items: 1)
        guard links.updateValue(link, forKey: name) == nil else {
            throw GraftError(.format, "\(source.path) is damaged: a group has two members \"\(name)\"")
        }
    }

    /// The older way: a tree whose leaves are tables of names and addresses; the names are in a heap.
    ///
    /// Source: sections III.A.1 (trees), III.B (tables), III.D (heaps).
    private mutating func readTable(tree: UInt64, heap: UInt64) throws(GraftError) {
        var names = try HDF5NameHeap(at: heap, in: source)
        // No two nodes overlap, so there is an end to them, and never more are pending than the file has room for.
        var pending = [tree]
        while let address = pending.popLast() {
            var head = try source.peek(at: address, count: 8)
            if try head.take(4).elementsEqual("SNOD".utf8) {
                try readNode(at: address, &names)
            } else {
                pending += try children(at: address).reversed()
            }
        }
    }

    /// The addresses below a node of the tree. Between them are keys, which only a search would need.
    private func children(at address: UInt64) throws(GraftError) -> [UInt64] {
        var head = try source.structure(at: address, count: 24)
        try head.expect("TREE")
        guard try head.byte() == 0 else { throw head.unexpected("a group's tree") }
        try head.skip(1)
        let count = try head.number(2)
        var body = try source.structure(at: address + 24, count: 16 * count)
        var children: [UInt64] = []
        for _ in 0..<count {
            try body.skip(8)
            children.append(try body.address())
        }
        return children
    }

    /// One table: entries of 40 bytes.
    private mutating func readNode(at address: UInt64, _ names: inout HDF5NameHeap) throws(GraftError) {
        var head = try source.structure(at: address, count: 8)
        try head.expect("SNOD")
        try head.skip(2)
        let count = try head.number(2)
        var body = try source.structure(at: address + 8, count: 40 * count)
        for _ in 0..<count {
            let start = try body.size(8)
            let object = try body.address()
            let isSoft = try body.number(4) == 2
            try body.skip(20)
            guard let name = try names.name(at: start) else { throw body.unexpected("the name of a group's member") }
            try add(name, isSoft ? .soft : .object(address: object))
        }
    }
}

/// The names of a group's members in the older way: one behind the other, a zero after each. No two share a byte, so that
/// together they are no longer than the heap.
///
/// Source: section III.D.
private struct HDF5NameHeap {
    private let source: HDF5Source
    private let bytes: ArraySlice<UInt8>
    private var claims: ByteClaims

    init(at address: UInt64, in source: HDF5Source) throws(GraftError) {
        var head = try source.structure(at: address, count: 32)
        try head.expect("HEAP")
        try head.skip(4)
        let count = try head.number(8)
        try head.skip(8)
        var content = try source.structure(at: head.address(), count: count)
        bytes = try content.take(content.count)
        claims = ByteClaims(byteCount: bytes.count)
        self.source = source
    }

    /// The name that begins there; `nil` where none does.
    mutating func name(at start: Int) throws(GraftError) -> String? {
        guard start < bytes.count else { return nil }
        let name = bytes[(bytes.startIndex + start)...].prefix { $0 != 0 }
        guard claims.claim(start..<start + name.count) else {
            throw GraftError(
                .format, "\(source.path) is damaged or hostile: two members of a group share their names' bytes")
        }
        return String(validating: name, as: UTF8.self)
    }
}
