import GraftGraph

/// The header of a group or dataset: a list of messages, each one fact about it.
///
/// Source: "HDF5 File Format Specification Version 3.0", section IV.A.
struct HDF5ObjectHeader {
    struct Message {
        let kind: Kind
        let bytes: HDF5Bytes
    }

    /// The messages that matter here, by their numbers in the file.
    enum Kind: UInt64 {
        case dataspace = 0x01
        case linkInformation = 0x02
        case datatype = 0x03
        case link = 0x06
        case externalFiles = 0x07
        case layout = 0x08
        case filters = 0x0B
        case attribute = 0x0C
        case continuation = 0x10
        case symbolTable = 0x11
        case attributeInformation = 0x15
    }

    let address: UInt64
    /// All attributes and links; of the other kinds the first.
    private var messages: [Message] = []

    /// The messages of this kind.
    func all(_ kind: Kind) -> [HDF5Bytes] { messages.filter { $0.kind == kind }.map(\.bytes) }

    /// The first message of this kind.
    func first(_ kind: Kind) -> HDF5Bytes? { messages.first { $0.kind == kind }?.bytes }

    /// Reads the header at an address, of the first or the second version.
    init(at address: UInt64, in source: HDF5Source) throws(GraftError) {
        self.address = address
        var start = try source.peek(at: address, count: min(16, source.byteCount - min(address, source.byteCount)))
        let first = try start.byte()
        var blocks: [Block]
        let style: Style
        if first == 1 {
            try start.skip(7)
            style = Style(isFirstVersion: true, hasCreationOrder: false)
            blocks = [Block(address: address + 16, count: try start.number(4))]
            try source.budget.claim(address, 16, for: "an object's header")
        } else {
            let (flags, block) = try Self.secondVersion(at: address, in: source)
            style = Style(isFirstVersion: false, hasCreationOrder: flags & 4 != 0)
            blocks = [block]
            try source.budget.claim(address, block.address - address, for: "an object's header")
        }
        // No two blocks overlap, so there is an end to them.
        var isFirst = true
        while let block = blocks.popLast() {
            blocks += try read(block, style, isFirst: isFirst, in: source)
            isFirst = false
        }
    }

    private struct Block {
        let address: UInt64
        let count: UInt64
    }

    private struct Style {
        let isFirstVersion: Bool
        let hasCreationOrder: Bool
    }

    /// `OHDR`, version, flags, perhaps times and attribute limits, the size of the first block, the block.
    private static func secondVersion(
        at address: UInt64, in source: HDF5Source
    ) throws(GraftError) -> (flags: UInt8, Block) {
        let available = source.byteCount - min(address, source.byteCount)
        var start = try source.peek(at: address, count: min(34, available))
        let whole = start.count
        try start.expect("OHDR")
        guard try start.byte() == 2 else { throw start.unexpected("the version of an object's header") }
        let flags = try start.byte()
        try start.skip((flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0))
        let count = try start.number(1 << Int(flags & 3))
        return (flags, Block(address: address + UInt64(whole - start.count), count: count))
    }

    /// Reads one block's messages and gives the blocks that it is continued in.
    private mutating func read(
        _ block: Block, _ style: Style, isFirst: Bool, in source: HDF5Source
    ) throws(GraftError) -> [Block] {
        var bytes = try source.structure(at: block.address, count: block.count)
        if !style.isFirstVersion && !isFirst {
            try bytes.expect("OCHK")
            bytes = try bytes.piece(max(0, bytes.count - 4))
        }
        var continuations: [Block] = []
        let headSize = style.isFirstVersion ? 8 : style.hasCreationOrder ? 6 : 4
        while bytes.count >= headSize {
            let number = try bytes.number(style.isFirstVersion ? 2 : 1)
            let size = try bytes.size(2)
            let flags = try bytes.byte()
            try bytes.skip(headSize - (style.isFirstVersion ? 5 : 4))
            var content = try bytes.piece(size)
            guard let kind = Kind(rawValue: number) else { continue }
            guard kind != .continuation else {
                continuations.append(Block(address: try content.address(), count: try content.number(8)))
                continue
            }
            guard flags & 2 == 0 else {
                throw GraftError(.format, "\(source.path) shares a \(kind) between objects, which Graft does not read")
            }
            if kind == .attribute || kind == .link || first(kind) == nil {
                try source.budget.take(items: 1)
                messages.append(Message(kind: kind, bytes: content))
            }
        }
        return continuations
    }
}
