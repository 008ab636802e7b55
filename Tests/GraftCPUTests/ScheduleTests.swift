import GraftTestSupport
import Testing

@testable import GraftCPU

/// The order of steps and their memory, checked without running anything.
@Suite struct ScheduleTests {
    @Test func randomGraphsKeepEveryValueUntilItsLastReader() throws {
        for seed in 0..<300 {
            let random = try RandomGraph(seed: UInt64(seed) + 40_000, operations: 4 + seed % 12)
            let schedule = try Schedule(
                PlanCompiler(
                    random.graph, engine: Engine(), threads: 2, paths: FastPaths(FastPath.all), bitmapInputs: []))
            checkOrder(schedule, "\(random)")
            checkMemory(schedule, "\(random)")
            checkUpdates(schedule, "\(random)")
        }
    }

    @Test func valuesThatAreNeverAliveTogetherShareMemory() throws {
        // A chain of ten convolutions of equal size needs two buffers, besides the output.
        var graph = Graph()
        var value = try graph.input("x", [1, 8, 8, 16])
        for layer in 0..<10 {
            let kernel = try graph.variable(VariableID(layer), [1, 1, 16, 16])
            value = try graph.convolution(value, kernel: kernel, Convolution())
        }
        graph.outputs = [value]
        let report = try CPUPlan(graph).report
        #expect(report.valueByteCount == 9 * 8 * 8 * 16 * 4)
        #expect(report.arenaByteCount == 2 * 8 * 8 * 16 * 4)
    }

    /// Whatever a step reads was written before.
    private func checkOrder(_ schedule: Schedule, _ comment: Comment) {
        var written: Set<BufferID> = []
        for step in schedule.preparation + schedule.run {
            for buffer in step.reads {
                switch schedule.buffers[buffer.index].kind {
                case .input, .constant: continue
                case .variable where !schedule.run.contains(where: { $0.writes.contains(buffer) }): continue
                default: #expect(written.contains(buffer), comment)
                }
            }
            written.formUnion(step.writes)
        }
    }

    /// No two temporary buffers overlap in the arena while both are needed. A result may take the place of an operand
    /// that its own step reads last.
    private func checkMemory(_ schedule: Schedule, _ comment: Comment) {
        var lives: [BufferID: ClosedRange<Int>] = [:]
        for (position, step) in schedule.run.enumerated() {
            for buffer in step.writes { lives[buffer] = position...position }
            for buffer in step.reads { if let life = lives[buffer] { lives[buffer] = life.lowerBound...position } }
        }
        let temporary = lives.keys.filter { schedule.buffers[$0.index].kind == .temporary }
        for left in temporary {
            for right in temporary where left.index < right.index {
                guard let first = lives[left], let second = lives[right], first.overlaps(second),
                    overlap(left, right, schedule)
                else { continue }
                let mayShare = [(left, right, first, second), (right, left, second, first)].contains {
                    operand, result, operandLife, resultLife in
                    operandLife.upperBound == resultLife.lowerBound
                        && schedule.run[resultLife.lowerBound].mayShare.contains { $0 == (operand, result) }
                }
                #expect(mayShare, comment)
            }
        }
    }

    private func overlap(_ left: BufferID, _ right: BufferID, _ schedule: Schedule) -> Bool {
        func bytes(_ buffer: BufferID) -> Range<Int> {
            let start = schedule.offsets[buffer] ?? 0
            return start..<start + schedule.buffers[buffer.index].byteCount
        }
        return bytes(left).overlaps(bytes(right))
    }

    /// Nobody reads a variable's old value after its memory has been written.
    private func checkUpdates(_ schedule: Schedule, _ comment: Comment) {
        var overwritten: Set<Int> = []
        for step in schedule.run {
            for buffer in step.reads where !schedule.run.contains(where: { $0.writes.contains(buffer) }) {
                if case .variable(let variable) = schedule.buffers[buffer.index].kind {
                    #expect(!overwritten.contains(variable), comment)
                }
            }
            for buffer in step.writes {
                if case .variable(let variable) = schedule.buffers[buffer.index].kind {
                    #expect(overwritten.insert(variable).inserted, comment)
                }
            }
            if let copy = step.step as? CopyStep,
                case .variable(let variable) = schedule.buffers[copy.target.index].kind
            {
                #expect(overwritten.insert(variable).inserted || step.writes.contains(copy.target), comment)
            }
        }
    }
}
