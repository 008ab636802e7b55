/// From short runs of bytes to numbers: an open-addressed hash table whose keys lie in one pool.
///
/// A key is looked up by its bytes where they stand in a text: nothing is copied and no `String` is made.
struct ByteTable: Sendable {
    /// Positions in `entries`, plus 1; 0 for a free slot. A power of two of them, at least twice as many as entries.
    private var slots: [Int32]
    private var entries: [Entry] = []
    private var pool: [UInt8] = []
    /// The most bytes of a key.
    private(set) var longest = 0

    private struct Entry {
        let hash: UInt64
        let start: Int
        let count: Int
        var value: Int32
    }

    init(capacity: Int = 8) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: 0, count: size)
    }

    var count: Int { entries.count }

    /// The hash of no bytes; that of a key is made byte by byte, so that all prefixes have theirs on the way.
    static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The hash of a key with one byte more.
    @inline(__always)
    static func combine(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }

    @inline(__always)
    static func hash(_ key: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash = seed
        for byte in key { hash = combine(hash, byte) }
        return hash
    }

    /// FNV's low bits are the good ones but are few for short keys: the high ones are folded in.
    @inline(__always)
    private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash ^ hash >> 29) }

    /// The number of a key, whose hash is known.
    @inline(__always)
    func value(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int32? {
        let mask = slots.count - 1
        var slot = Self.place(hash) & mask
        while slots[slot] != 0 {
            let entry = entries[Int(slots[slot]) - 1]
            if entry.hash == hash, entry.count == key.count, isEqual(entry, key) { return entry.value }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The number of a key.
    func value(_ key: [UInt8]) -> Int32? {
        key.withUnsafeBufferPointer { value($0, hash: Self.hash($0)) }
    }

    /// Gives a key its number; an earlier one is replaced.
    mutating func set(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64, to value: Int32) {
        if (entries.count + 1) * 2 > slots.count { grow() }
        let mask = slots.count - 1
        var slot = Self.place(hash) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if entries[number].hash == hash, entries[number].count == key.count, isEqual(entries[number], key) {
                entries[number].value = value
                return
            }
            slot = (slot + 1) & mask
        }
        entries.append(Entry(hash: hash, start: pool.count, count: key.count, value: value))
        pool += key
        longest = max(longest, key.count)
        slots[slot] = Int32(entries.count)
    }

    /// Gives a key its number; an earlier one is replaced.
    mutating func set(_ key: [UInt8], to value: Int32) {
        key.withUnsafeBufferPointer { set($0, hash: Self.hash($0), to: value) }
    }

    mutating func removeAll() {
        for slot in slots.indices { slots[slot] = 0 }
        entries.removeAll(keepingCapacity: true)
        pool.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private func isEqual(_ entry: Entry, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        pool.withUnsafeBufferPointer { pool in
            for place in 0..<entry.count where pool[entry.start + place] != key[place] { return false }
            return true
        }
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (number, entry) in entries.enumerated() {
            var slot = Self.place(entry.hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(number + 1)
        }
    }
}
