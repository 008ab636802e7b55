/// The order of a plan's steps, and what it allows: updates in place, and memory shared by values that are never alive
/// at once.
struct Schedule {
    /// Steps done once for each binding.
    private(set) var preparation: [StepDraft] = []
    /// Steps of each run.
    private(set) var run: [StepDraft] = []
    private(set) var buffers: [Buffer]
    /// The offset of each temporary buffer in the arena, in bytes.
    private(set) var offsets: [BufferID: Int] = [:]
    private(set) var arenaByteCount = 0
    private(set) var updatesInPlace = 0

    init(_ compiler: PlanCompiler) throws(GraftError) {
        var order = StepOrder(compiler)
        order.placeUpdates()
        buffers = order.buffers
        updatesInPlace = order.updatesInPlace
        for index in try order.sorted() {
            let draft = order.drafts[index]
            if draft.isPreparation { preparation.append(draft) } else { run.append(draft) }
        }
        for draft in preparation { for buffer in draft.writes { buffers[buffer.index].place = .prepared } }
        layOut()
    }

    /// Gives every temporary buffer an offset.
    private mutating func layOut() {
        var lifetimes = Lifetimes(run, buffers)
        lifetimes.shareMemory(run)
        let roots = lifetimes.roots
        let layout = MemoryLayoutSearch.offsets(
            for: roots.map { MemoryBuffer(byteCount: buffers[$0.index].byteCount, lifetime: lifetimes[$0]) })
        arenaByteCount = layout.byteCount
        let rootOffsets = Dictionary(uniqueKeysWithValues: zip(roots, layout.offsets))
        for buffer in lifetimes.all { offsets[buffer] = rootOffsets[lifetimes.root(of: buffer)] }
    }
}

/// From which step to which step each temporary buffer is needed, and which of them share memory.
private struct Lifetimes {
    private(set) var first: [BufferID: Int] = [:]
    private(set) var last: [BufferID: Int] = [:]
    private var owner: [BufferID: BufferID] = [:]
    private let buffers: [Buffer]

    init(_ steps: [StepDraft], _ buffers: [Buffer]) {
        self.buffers = buffers
        for (position, step) in steps.enumerated() {
            for buffer in step.writes where buffers[buffer.index].place == .temporary {
                first[buffer] = position
                last[buffer] = position
            }
            for buffer in step.reads where first[buffer] != nil { last[buffer] = position }
        }
    }

    subscript(buffer: BufferID) -> ClosedRange<Int> {
        let (first, last) = (first[buffer] ?? 0, last[buffer] ?? 0)
        return min(first, last)...last
    }

    /// All temporary buffers.
    var all: [BufferID] { first.keys.sorted { $0.index < $1.index } }

    /// Those that have memory of their own.
    var roots: [BufferID] { all.filter { owner[$0] == nil } }

    /// The buffer whose memory this one takes.
    func root(of buffer: BufferID) -> BufferID {
        var root = buffer
        while let next = owner[root] { root = next }
        return root
    }

    /// Lets results take the memory of operands that nobody needs after their step.
    mutating func shareMemory(_ steps: [StepDraft]) {
        for (position, step) in steps.enumerated() {
            var taken: Set<BufferID> = []
            for (operand, result) in step.mayShare where first[operand] != nil && first[result] == position {
                let root = root(of: operand)
                guard owner[result] == nil, root != result, last[root] == position, !taken.contains(root),
                    buffers[result.index].byteCount <= buffers[root.index].byteCount
                else { continue }
                owner[result] = root
                last[root] = last[result]
                taken.insert(root)
            }
        }
    }
}
