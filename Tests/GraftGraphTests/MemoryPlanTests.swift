import GraftGraph
import GraftTestSupport
import Testing

@Suite struct MemoryPlanTests {
    @Test func noBufferOfRandomStepsIsLostWhileItIsNeeded() {
        var shared = 0
        for seed in 0..<500 {
            let program = RandomSteps(seed: UInt64(seed), count: 3 + seed % 40)
            let plan = MemoryPlan(steps: program.steps, byteCounts: program.byteCounts)
            var simulation = Simulation(program, plan)
            simulation.run("seed \(seed)")
            shared += plan.valueByteCount - plan.arenaByteCount
        }
        #expect(shared > 0)
    }

    @Test func aChainRunsInOneBuffer() {
        let steps = (0..<5).map { MemoryPlan.Step(reads: [$0], writes: [$0 + 1], mayShare: [($0, $0 + 1)]) }
        let plan = MemoryPlan(steps: steps, byteCounts: [nil] + Array(repeating: 400, count: 5))
        #expect(plan.offsets == [nil, 0, 0, 0, 0, 0])
        #expect(plan.arenaByteCount == 448)  // 400, rounded up to a multiple of 64
        #expect(plan.valueByteCount == 2000)
    }

    @Test func aChainThatMayNotShareTakesTwoBuffers() {
        let steps = (0..<5).map { MemoryPlan.Step(reads: [$0], writes: [$0 + 1]) }
        let plan = MemoryPlan(steps: steps, byteCounts: [nil] + Array(repeating: 64, count: 5))
        #expect(plan.offsets == [nil, 0, 64, 0, 64, 0])
        #expect(plan.peakByteCount == 128)
    }

    @Test func aBufferThatIsReadLaterIsNotShared() {
        let steps = [
            MemoryPlan.Step(reads: [], writes: [0]),
            MemoryPlan.Step(reads: [0], writes: [1], mayShare: [(0, 1)]),
            MemoryPlan.Step(reads: [0, 1], writes: []),
        ]
        #expect(MemoryPlan(steps: steps, byteCounts: [64, 64]).offsets == [0, 64])
    }

    @Test func oneOperandIsSharedWithOneResult() {
        let steps = [
            MemoryPlan.Step(reads: [], writes: [0]),
            MemoryPlan.Step(reads: [0], writes: [1, 2], mayShare: [(0, 1), (0, 2)]),
            MemoryPlan.Step(reads: [2], writes: []),
        ]
        let plan = MemoryPlan(steps: steps, byteCounts: [64, 64, 64])
        #expect(plan.offsets[1] != plan.offsets[2])
    }

    @Test func aBufferWrittenInPartsIsNeededFromTheFirstPart() {
        let steps = [
            MemoryPlan.Step(reads: [], writes: [0]),
            MemoryPlan.Step(reads: [], writes: [1]),
            MemoryPlan.Step(reads: [1], writes: [0]),
            MemoryPlan.Step(reads: [0], writes: []),
        ]
        let plan = MemoryPlan(steps: steps, byteCounts: [64, 64])
        #expect(plan.offsets[0] != plan.offsets[1])
    }

    @Test func aLargerResultDoesNotTakeASmallerOperandsMemory() {
        let steps = [
            MemoryPlan.Step(reads: [], writes: [0]),
            MemoryPlan.Step(reads: [0], writes: [1], mayShare: [(0, 1)]),
        ]
        #expect(MemoryPlan(steps: steps, byteCounts: [64, 128]).arenaByteCount == 192)
    }

    @Test func theArenaIsNotMuchLargerThanWhatIsNeededAtOnce() {
        var (arena, peak, sum) = (0, 0, 0)
        for seed in 0..<100 {
            let program = RandomSteps(seed: UInt64(seed) + 900, count: 60)
            let plan = MemoryPlan(steps: program.steps, byteCounts: program.byteCounts)
            #expect(plan.arenaByteCount >= plan.peakByteCount)
            arena += plan.arenaByteCount
            peak += plan.peakByteCount
            sum += plan.valueByteCount
        }
        // What the search reaches with a little room; without reuse it would be several times as much.
        #expect(Double(arena) < 1.05 * Double(peak))
        #expect(arena * 3 < sum)
    }

    @Test func thousandsOfBuffersArePlannedInNoTime() {
        let program = RandomSteps(seed: 1, count: 3000)
        let seconds = processorSeconds { _ = MemoryPlan(steps: program.steps, byteCounts: program.byteCounts) }
        // Milliseconds in a release build; this bound holds for debug builds on slow processors.
        #expect(seconds < 20)
    }
}

/// Steps that write one or two buffers each and read some of those before, mostly recent ones.
private struct RandomSteps {
    var steps: [MemoryPlan.Step] = []
    var byteCounts: [Int?] = []

    init(seed: UInt64, count: Int) {
        var random = SplitMix(seed: seed)
        for _ in 0..<count {
            let recent = max(0, byteCounts.count - 6)
            let reads = byteCounts.indices.filter { $0 >= recent && random.chance(0.4) || random.chance(0.01) }
            var writes: [Int] = []
            for _ in 0..<random.size(1...2) {
                writes.append(byteCounts.count)
                byteCounts.append(random.chance(0.1) ? nil : random.size(1...5) * 50)
            }
            // Sometimes a part of a buffer that was begun before.
            if recent > 0, random.chance(0.1), !reads.contains(recent) { writes.append(recent) }
            let pairs = reads.flatMap { operand in writes.map { (operand: operand, result: $0) } }
            steps.append(
                MemoryPlan.Step(reads: reads, writes: writes, mayShare: pairs.filter { _ in random.chance(0.5) }))
        }
    }
}

/// Runs steps on memory whose every byte knows whose it is, and expects each reader to find what was written for it.
private struct Simulation {
    private let program: RandomSteps
    private let plan: MemoryPlan
    private var arena: [Int?]

    init(_ program: RandomSteps, _ plan: MemoryPlan) {
        (self.program, self.plan) = (program, plan)
        arena = Array(repeating: nil, count: plan.arenaByteCount)
    }

    mutating func run(_ title: String) {
        var isWritten = program.byteCounts.map { _ in false }
        for step in program.steps {
            let started = step.writes.filter { isWritten[$0] }
            for buffer in step.reads + started { expectIntact(buffer, title) }
            for buffer in step.writes {
                for byte in bytes(of: buffer) { arena[byte] = buffer }
                isWritten[buffer] = true
            }
            for buffer in step.writes { expectIntact(buffer, title) }
        }
    }

    private func expectIntact(_ buffer: Int, _ title: String) {
        #expect(bytes(of: buffer).allSatisfy { arena[$0] == buffer }, "buffer \(buffer) is lost in \(title)")
    }

    private func bytes(of buffer: Int) -> Range<Int> {
        guard let size = program.byteCounts[buffer], let offset = plan.offsets[buffer] else { return 0..<0 }
        #expect(offset.isMultiple(of: 64))
        return offset..<offset + size
    }
}
