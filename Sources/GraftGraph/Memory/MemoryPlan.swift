/// Where the temporary buffers of a list of steps live: in one arena, shared by buffers that are not needed together.
///
/// A buffer is needed from the first step that writes it to the last that reads it. A backend that runs a graph as steps
/// plans its memory with this, whatever a step is to it; the plan knows of reading and writing alone.
package struct MemoryPlan: Sendable {
    /// What a plan knows of a step. Buffers are numbered from 0.
    package struct Step: Sendable {
        /// The buffers that it reads.
        package var reads: [Int]
        /// The buffers that it writes, in whole or in part.
        package var writes: [Int]
        /// Pairs of a buffer read and a buffer written that may be the same memory where nothing reads the former
        /// afterwards.
        package var mayShare: [(operand: Int, result: Int)]

        /// A step that reads and writes these buffers.
        package init(reads: [Int], writes: [Int], mayShare: [(operand: Int, result: Int)] = []) {
            (self.reads, self.writes, self.mayShare) = (reads, writes, mayShare)
        }
    }

    /// By buffer: its offset in the arena in bytes; `nil` where it is not there or no step uses it.
    package let offsets: [Int?]
    /// The size of the arena.
    package let arenaByteCount: Int
    /// What all buffers would take together if each had memory of its own.
    package let valueByteCount: Int
    /// The most bytes needed at one time, shared memory counted once: no arena can be smaller.
    package let peakByteCount: Int

    /// Plans the memory of steps that run in this order.
    ///
    /// - Parameter byteCounts: the size of each buffer; `nil` for one whose memory comes from elsewhere.
    /// - Complexity: quadratic in the number of buffers with a small constant: milliseconds for thousands.
    package init(steps: [Step], byteCounts: [Int?]) {
        var lifetimes = BufferLifetimes(steps, byteCounts)
        lifetimes.shareMemory(steps)
        let owners = lifetimes.owners
        let buffers = owners.map {
            MemoryBuffer(byteCount: byteCounts[$0] ?? 0, lifetime: lifetimes[$0] ?? 0...0)
        }
        let layout = MemoryLayoutSearch.offsets(for: buffers)
        let offsets = Dictionary(uniqueKeysWithValues: zip(owners, layout.offsets))
        self.offsets = byteCounts.indices.map { offsets[lifetimes.owner(of: $0)] }
        arenaByteCount = layout.byteCount
        peakByteCount = MemoryLayoutSearch.peakByteCount(of: buffers)
        valueByteCount = byteCounts.indices.reduce(0) { $0 + (lifetimes[$1] == nil ? 0 : byteCounts[$1] ?? 0) }
    }
}

/// From which step to which step each buffer is needed, and which buffers are one memory.
private struct BufferLifetimes {
    /// By buffer: the steps that need it, and after sharing what lies in it as well; `nil` for one that is elsewhere or
    /// not used.
    private var lifetimes: [ClosedRange<Int>?]
    /// By buffer: the one whose memory it takes; `nil` for one with memory of its own.
    private var holders: [Int?]
    private let byteCounts: [Int?]

    init(_ steps: [MemoryPlan.Step], _ byteCounts: [Int?]) {
        lifetimes = Array(repeating: nil, count: byteCounts.count)
        holders = Array(repeating: nil, count: byteCounts.count)
        self.byteCounts = byteCounts
        for (time, step) in steps.enumerated() {
            for buffer in step.reads + step.writes where byteCounts[buffer] != nil {
                lifetimes[buffer] = (lifetimes[buffer]?.lowerBound ?? time)...time
            }
        }
    }

    subscript(buffer: Int) -> ClosedRange<Int>? { lifetimes[buffer] }

    /// The buffers that have memory of their own in the arena.
    var owners: [Int] { lifetimes.indices.filter { lifetimes[$0] != nil && holders[$0] == nil } }

    /// The buffer whose memory this one is.
    func owner(of buffer: Int) -> Int {
        var owner = buffer
        while let holder = holders[owner] { owner = holder }
        return owner
    }

    /// Lets results take the memory of operands that nothing needs after their step, one result an operand.
    mutating func shareMemory(_ steps: [MemoryPlan.Step]) {
        for (time, step) in steps.enumerated() {
            for (operand, result) in step.mayShare {
                let owner = owner(of: operand)
                guard let old = lifetimes[owner], let new = lifetimes[result], let room = byteCounts[owner],
                    let size = byteCounts[result], old.upperBound == time, new.lowerBound == time,
                    holders[result] == nil, owner != result, size <= room
                else { continue }
                holders[result] = owner
                // From now on the memory is needed beyond this step, so that no other result takes it as well.
                lifetimes[owner] = old.lowerBound...max(new.upperBound, time + 1)
            }
        }
    }
}
