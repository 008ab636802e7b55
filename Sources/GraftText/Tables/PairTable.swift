/// From two numbers to one: an open-addressed hash table.
struct PairTable: Sendable {
    /// Twice as many as entries at least, a power of two.
    private var keys: [UInt64]
    private var values: [Int32]
    private var count = 0
    /// No pair of numbers from 0 has it.
    private static let free = UInt64.max

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        keys = [UInt64](repeating: Self.free, count: size)
        values = [Int32](repeating: 0, count: size)
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private static func place(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }

    /// The number of a pair.
    @inline(__always)
    subscript(_ left: Int32, _ right: Int32) -> Int32? {
        let key = Self.key(left, right)
        let mask = keys.count - 1
        var slot = Self.place(key) & mask
        while keys[slot] != Self.free {
            if keys[slot] == key { return values[slot] }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Gives a pair its number; an earlier one is replaced.
    mutating func set(_ left: Int32, _ right: Int32, to value: Int32) {
        if (count + 1) * 2 > keys.count { grow() }
        if insert(Self.key(left, right), value) { count += 1 }
    }

    /// Whether the key is new.
    private mutating func insert(_ key: UInt64, _ value: Int32) -> Bool {
        let mask = keys.count - 1
        var slot = Self.place(key) & mask
        while keys[slot] != Self.free {
            if keys[slot] == key {
                values[slot] = value
                return false
            }
            slot = (slot + 1) & mask
        }
        (keys[slot], values[slot]) = (key, value)
        return true
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        keys = [UInt64](repeating: Self.free, count: oldKeys.count * 2)
        values = [Int32](repeating: 0, count: oldKeys.count * 2)
        for (key, value) in zip(oldKeys, oldValues) where key != Self.free { _ = insert(key, value) }
    }
}
