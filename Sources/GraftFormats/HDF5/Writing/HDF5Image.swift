import GraftGraph

/// The bytes of an HDF5 file: all structures, and after them the places of the arrays.
///
/// Members are written before the group that holds them, so that their addresses are known; the addresses of arrays
/// are filled in when the structures are complete.
///
/// Source: "HDF5 File Format Specification Version 3.0"; the sections are named below.
struct HDF5Image {
    /// An array and its place.
    struct PlacedArray {
        let content: HDF5WriterGroup.Content
        var address = 0
        /// Where its header says where it is.
        let reference: Int
    }

    private(set) var structures: [UInt8] = []
    private(set) var arrays: [PlacedArray] = []

    /// HDF5's own numbers: a table has up to 8 members, a node of the tree up to 32 children.
    private static let membersPerTable = 8
    private static let childrenPerNode = 32
    private static let superblockByteCount = 96
    /// Arrays begin at cache lines, so that a mapped file could be computed with.
    private static let arrayAlignment = 64
    static let nowhere = UInt64.max

    /// A group's three structures.
    private struct PlacedGroup {
        let header: Int
        let tree: Int
        let heap: Int
    }

    init(of root: HDF5WriterGroup) {
        structures = [UInt8](repeating: 0, count: Self.superblockByteCount)
        let placed = add(root)
        var end = structures.count
        for index in arrays.indices where arrays[index].content.byteCount > 0 {
            let address = (end + Self.arrayAlignment - 1) / Self.arrayAlignment * Self.arrayAlignment
            arrays[index].address = address
            end = address + arrays[index].content.byteCount
            patch(at: arrays[index].reference, [.number(UInt64(address), 8)])
        }
        arrays.removeAll { $0.content.byteCount == 0 }
        patch(at: 0, Self.superblock(placed, end: end))
    }

    /// Section II.A, version 0.
    private static func superblock(_ root: PlacedGroup, end: Int) -> [HDF5Field] {
        [
            .bytes(HDF5Superblock.signature), .number(0, 5), .number(8, 1), .number(8, 1), .number(0, 1),
            .number(UInt64(membersPerTable / 2), 2), .number(UInt64(childrenPerNode / 2), 2), .number(0, 4),
            .number(0, 8), .number(nowhere, 8), .number(UInt64(end), 8), .number(nowhere, 8),
            .number(0, 8), .address(root.header), .number(1, 4), .number(0, 4), .address(root.tree),
            .address(root.heap),
        ]
    }

    // MARK: Groups

    private mutating func add(_ group: HDF5WriterGroup) -> PlacedGroup {
        let sorted = group.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let headers = sorted.map { add($0.value) }
        var names = HeapBuilder()
        let offsets = sorted.map { names.add($0.key) }
        let heap = add(names)
        let tree = addTree(Array(zip(offsets, headers)))
        let table = HDF5Message(0x11, [.address(tree), .address(heap)])
        let header = add(header: [table] + group.attributes.map(HDF5Message.init(attribute:)))
        return PlacedGroup(header: header, tree: tree, heap: heap)
    }

    private mutating func add(_ member: HDF5WriterGroup.Member) -> Int {
        switch member {
        case .group(let group): return add(group).header
        case .array(let content): return add(content)
        }
    }

    /// Names, each with a zero byte after it and padded to 8 bytes; the empty name first. Section III.D.
    private struct HeapBuilder {
        var bytes = [UInt8](repeating: 0, count: 8)

        mutating func add(_ name: String) -> Int {
            let offset = bytes.count
            bytes += name.utf8
            bytes += [UInt8](repeating: 0, count: 8 - name.utf8.count % 8)
            return offset
        }
    }

    private mutating func add(_ heap: HeapBuilder) -> Int {
        let address = structures.count
        // No free space: the list's head is 1, which is no offset.
        append([
            .text("HEAP"), .number(0, 4), .number(UInt64(heap.bytes.count), 8), .number(1, 8), .address(address + 32),
            .bytes(heap.bytes),
        ])
        return address
    }

    /// A subtree and the name with which it ends, by its place in the heap.
    private struct Subtree {
        let address: Int
        let lastName: Int
    }

    /// Tables of members (section III.B) under a tree (section III.A.1), level by level.
    private mutating func addTree(_ members: [(name: Int, header: Int)]) -> Int {
        var level: [Subtree] = []
        for start in stride(from: 0, to: members.count, by: Self.membersPerTable) {
            let piece = members[start..<min(start + Self.membersPerTable, members.count)]
            level.append(Subtree(address: addTable(piece), lastName: piece[piece.endIndex - 1].name))
        }
        var depth = 0
        repeat {
            level = addNodes(over: level, depth: depth)
            depth += 1
        } while level.count > 1
        return level[0].address
    }

    private mutating func addTable(_ members: ArraySlice<(name: Int, header: Int)>) -> Int {
        let address = structures.count
        var fields: [HDF5Field] = [.text("SNOD"), .number(1, 2), .number(UInt64(members.count), 2)]
        for member in members {
            fields += [.address(member.name), .address(member.header), .number(0, 8), .number(0, 8), .number(0, 8)]
        }
        let unused = Self.membersPerTable - members.count
        append(fields + [.bytes([UInt8](repeating: 0, count: 40 * unused))])
        return address
    }

    /// One level of the tree; an empty group has one node without children.
    private mutating func addNodes(over children: [Subtree], depth: Int) -> [Subtree] {
        let byteCount = 24 + 8 * (2 * Self.childrenPerNode + 1)
        let first = structures.count
        let nodeCount = max(1, (children.count + Self.childrenPerNode - 1) / Self.childrenPerNode)
        var nodes: [Subtree] = []
        var previousName = 0
        for node in 0..<nodeCount {
            let start = node * Self.childrenPerNode
            let piece = children[min(start, children.count)..<min(start + Self.childrenPerNode, children.count)]
            let left = node > 0 ? UInt64(first + (node - 1) * byteCount) : Self.nowhere
            let right = node + 1 < nodeCount ? UInt64(first + (node + 1) * byteCount) : Self.nowhere
            var fields: [HDF5Field] = [
                .text("TREE"), .number(0, 1), .number(UInt64(depth), 1), .number(UInt64(piece.count), 2),
                .number(left, 8), .number(right, 8), .address(previousName),
            ]
            for child in piece { fields += [.address(child.address), .address(child.lastName)] }
            fields.append(.bytes([UInt8](repeating: 0, count: 16 * (Self.childrenPerNode - piece.count))))
            previousName = piece.last?.lastName ?? 0
            nodes.append(Subtree(address: structures.count, lastName: previousName))
            append(fields)
        }
        return nodes
    }

    // MARK: Arrays and headers

    private mutating func add(_ content: HDF5WriterGroup.Content) -> Int {
        let messages: [HDF5Message] = [
            .dataspace(content.shape.dimensions), .datatype(of: content), .noFillValue,
            .contiguousLayout(byteCount: content.byteCount),
        ]
        let header = add(header: messages)
        // The layout is the last message: version, class, address, size and padding to 24 bytes.
        arrays.append(PlacedArray(content: content, reference: structures.count - 22))
        return header
    }

    /// Section IV.A.1.a: version, number of messages, references, size; each message with type, size and flags.
    private mutating func add(header messages: [HDF5Message]) -> Int {
        let address = structures.count
        let byteCount = messages.reduce(0) { $0 + 8 + $1.bytes.count }
        append([
            .number(1, 2), .number(UInt64(messages.count), 2), .number(1, 4), .number(UInt64(byteCount), 4),
            .number(0, 4),
        ])
        for message in messages {
            append([
                .number(message.kind, 2), .number(UInt64(message.bytes.count), 2), .number(0, 4), .bytes(message.bytes),
            ])
        }
        return address
    }

    private mutating func append(_ fields: [HDF5Field]) {
        for field in fields { structures += field.encoded }
    }

    private mutating func patch(at position: Int, _ fields: [HDF5Field]) {
        let bytes = fields.flatMap(\.encoded)
        structures.replaceSubrange(position..<position + bytes.count, with: bytes)
    }
}

/// One field of a structure, little-endian.
enum HDF5Field {
    case number(UInt64, Int)
    case address(Int)
    case text(String)
    case bytes([UInt8])

    var encoded: [UInt8] {
        switch self {
        case .number(let value, let byteCount):
            (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 < 8 ? value >> UInt64(8 * $0) : 0) }
        case .address(let value): HDF5Field.number(UInt64(value), 8).encoded
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        }
    }
}
