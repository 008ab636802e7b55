/// Keys of bytes, walked byte by byte: what finds all keys that begin at a place of a text, and the longest.
///
/// A node's children are found in a hash table by the node and the byte; those of the root lie in a list.
struct ByteTrie: Sendable {
    private var children: PairTable
    private var first = [Int32](repeating: -1, count: 256)
    /// The number of the key that ends at a node; -1 for none.
    private(set) var values: [Int32] = [-1]

    init(capacity: Int) { children = PairTable(capacity: capacity * 4) }

    /// The root.
    static let root: Int32 = 0

    /// The node that a byte leads to.
    @inline(__always)
    func child(of node: Int32, _ byte: UInt8) -> Int32? {
        if node == Self.root {
            let child = first[Int(byte)]
            return child < 0 ? nil : child
        }
        return children[node, Int32(byte)]
    }

    /// Adds a key; a number that it had is replaced.
    mutating func insert(_ key: some Sequence<UInt8>, _ value: Int32) {
        var node = Self.root
        for byte in key {
            if let child = child(of: node, byte) {
                node = child
            } else {
                let child = Int32(values.count)
                values.append(-1)
                if node == Self.root { first[Int(byte)] = child } else { children.set(node, Int32(byte), to: child) }
                node = child
            }
        }
        values[Int(node)] = value
    }
}
