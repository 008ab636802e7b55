/// Where each value of a graph lives while the graph runs: one arena, shared by values that are not alive together.
///
/// A value is alive from the node that makes it to the last node that reads it; outputs and updates stay to the end.
/// A reshape is its operand's memory under another shape; an elementwise result takes the memory of an operand that dies
/// with it. Inputs, variables and constants have memory of their own outside.
public struct MemoryPlan: Sendable {
    /// Where a value's bytes are.
    public enum Location: Hashable, Sendable {
        /// At this byte of the arena.
        case arena(Int)
        /// In the memory of a value that is not in the arena, this many bytes into it; mostly the value itself.
        case external(ValueID, byteOffset: Int)
    }

    /// The alignment of everything in the arena, in bytes: a cache line, and a 512-bit vector.
    public static let alignment = 64

    /// The size of the arena.
    public let arenaByteCount: Int
    /// What all values outside of leaves would take together if each had memory of its own.
    public let valueByteCount: Int
    /// The most bytes alive at one time, shared memory counted once: no arena can be smaller.
    public let peakByteCount: Int

    private let locations: [Location]
    private let scratchOffsets: [ValueID: Int]

    /// Plans the memory of a graph.
    ///
    /// - Parameters:
    ///   - graph: what will run, its nodes in this order.
    ///   - demands: what the backend needs beyond the graph; by default nothing.
    /// - Throws: ``GraftError`` where a value has more bytes than any machine.
    /// - Complexity: quadratic in the number of buffers with a small constant: milliseconds for thousands of nodes.
    public init(for graph: Graph, demands: Demands? = nil) throws(GraftError) {
        let demands = demands ?? Demands(graph)
        for (index, count) in zip(graph.nodes.indices, zip(demands.byteCounts, demands.scratchByteCounts))
        where !Self.possibleByteCounts.contains(count.0) || !Self.possibleByteCounts.contains(count.1) {
            throw GraftError(
                .shape, "value \(index) (\(graph.nodes[index].operation.name)) would take \(count.0) bytes of memory")
        }
        var sharing = MemorySharing(graph, demands)
        sharing.joinReshapes()
        sharing.overwriteDyingOperands()
        let owners = sharing.arenaOwners
        let needy = graph.values.filter { demands.scratchByteCounts[$0.index] > 0 }
        let buffers =
            owners.map(sharing.buffer(of:))
            + needy.map { MemoryBuffer(byteCount: demands.scratchByteCounts[$0.index], lifetime: $0.index...$0.index) }
        let layout = MemoryLayoutSearch.offsets(for: buffers)

        arenaByteCount = layout.byteCount
        peakByteCount = MemoryLayoutSearch.peakByteCount(of: buffers)
        valueByteCount = graph.values.reduce(0) {
            $0 + (graph[$1].operation.isGivenMemory ? 0 : demands.byteCounts[$1.index])
        }
        let offsets = Dictionary(uniqueKeysWithValues: zip(owners, layout.offsets))
        locations = graph.values.map { sharing.location(of: $0, in: offsets) }
        scratchOffsets = Dictionary(uniqueKeysWithValues: zip(needy, layout.offsets.dropFirst(owners.count)))
    }

    /// Where a value lives.
    public func location(of value: ValueID) -> Location { locations[value.index] }

    /// Where in the arena a node finds its scratch memory; `nil` where it asked for none.
    public func scratchOffset(of value: ValueID) -> Int? { scratchOffsets[value] }

    /// Up to 2⁴⁶ bytes: more than any machine has, and thousands of them still add up in an `Int`.
    private static let possibleByteCounts = 0...(1 << 46)
}

extension MemoryPlan {
    /// What a backend needs of a plan beyond what the graph says.
    public struct Demands: Sendable {
        /// A value that lives inside another one's memory.
        public struct Placement: Hashable, Sendable {
            /// The value whose memory it is part of.
            public var container: ValueID
            /// Where the first element is.
            public var byteOffset: Int
            /// A place inside another value.
            public init(in container: ValueID, byteOffset: Int) {
                (self.container, self.byteOffset) = (container, byteOffset)
            }
        }

        /// By value: its size; 4 bytes an element at first.
        public var byteCounts: [Int]
        /// By node: memory that it needs only while it runs; none at first.
        public var scratchByteCounts: [Int]
        /// Values whose memory the backend brings itself, such as outputs that are tensors of their own.
        public var external: Set<ValueID> = []
        /// Values that live inside others, such as the operands of a concatenation inside its result, or a slice inside
        /// its operand. Their elements need not be neighbours, so a reshape of one is a copy.
        public var placements: [ValueID: Placement] = [:]
        /// By node: the positions of operands whose memory the result may take when they die there. At first all
        /// operands of an elementwise operation that have the result's shape.
        public var overwritableOperands: [[Int]]
        /// Whether an update's value may be written over the variable where no later node reads the variable; its
        /// location then is the variable's.
        public var updatesInPlace = false

        /// What the graph says.
        public init(_ graph: Graph) {
            byteCounts = graph.nodes.map { $0.shape.elementCount * 4 }
            scratchByteCounts = [Int](repeating: 0, count: graph.nodes.count)
            overwritableOperands = graph.nodes.map { node in
                guard node.operation.elementwiseProgram != nil else { return [] }
                return node.operands.indices.filter { graph.shape(of: node.operands[$0]) == node.shape }
            }
        }
    }
}

extension Operation {
    /// Whether the value comes from outside with its memory: an input, a variable or a constant.
    var isGivenMemory: Bool {
        switch self {
        case .input, .variable, .constant: true
        default: false
        }
    }
}
