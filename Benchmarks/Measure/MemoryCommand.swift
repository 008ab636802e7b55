import ArgumentParser
import CKernels
import Foundation
import Graft

/// How fast the machine's memory is where nothing is computed: the limit of the head's step.
struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Time reading one large array, and reading and writing two.")

    @OptionGroup var common: CommonOptions

    @Option(help: "Numbers in an array; as many as the tutorial's hidden layer has weights if not given.")
    var count = 37_632 * 1024

    func run() throws {
        let threads = common.threads ?? Int(graft_processor_count())
        graft_set_thread_count(Int32(threads))
        var arrays = try Arrays(count: count, parts: threads)
        defer { arrays.release() }
        let reading = samples(for: common.seconds / 2) { arrays.run(readPart) }
        let updating = samples(for: common.seconds / 2) { arrays.run(updatePart) }
        guard arrays.sum.isFinite else { throw GraftError(.state, "the arrays hold numbers that are not finite") }
        try report([
            "bytes": count * MemoryLayout<Float>.stride, "read_seconds": reading, "update_seconds": updating,
        ])
    }
}

private typealias Lanes = SIMD16<Float>

/// Weights and an optimizer's array, as large as the tutorial's.
private struct Arrays {
    var weights: UnsafeMutablePointer<Lanes>
    var state: UnsafeMutablePointer<Lanes>
    var sums: UnsafeMutablePointer<Lanes>
    var vectors: Int
    var parts: Int

    init(count: Int, parts: Int) throws {
        (vectors, self.parts) = (count / Lanes.scalarCount, parts)
        let size = count * MemoryLayout<Float>.stride
        guard let weights = graft_allocate(size), let state = graft_allocate(size) else {
            throw GraftError(.state, "there is no memory for two arrays of \(size) bytes")
        }
        self.weights = weights.bindMemory(to: Lanes.self, capacity: vectors)
        self.state = state.bindMemory(to: Lanes.self, capacity: vectors)
        sums = .allocate(capacity: parts)
        self.weights.initialize(repeating: Lanes(repeating: 1), count: vectors)
        self.state.initialize(repeating: Lanes(repeating: 1), count: vectors)
        sums.initialize(repeating: .zero, count: parts)
    }

    var sum: Float { (0..<parts).reduce(0) { $0 + sums[$1].sum() } }

    /// The vectors that one thread takes.
    func range(_ part: Int) -> Range<Int> { part * vectors / parts..<(part + 1) * vectors / parts }

    mutating func run(_ body: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void) {
        graft_parallel(Int32(parts), body, &self)
    }

    func release() {
        free(weights)
        free(state)
        sums.deallocate()
    }
}

private func readPart(_ context: UnsafeMutableRawPointer?, _ part: Int32) {
    guard let arrays = context?.assumingMemoryBound(to: Arrays.self).pointee else { return }
    var (first, second, third, fourth) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    let range = arrays.range(Int(part))
    for index in stride(from: range.lowerBound, to: range.upperBound - 3, by: 4) {
        first += arrays.weights[index]
        second += arrays.weights[index + 1]
        third += arrays.weights[index + 2]
        fourth += arrays.weights[index + 3]
    }
    arrays.sums[Int(part)] = first + second + third + fourth
}

private func updatePart(_ context: UnsafeMutableRawPointer?, _ part: Int32) {
    guard let arrays = context?.assumingMemoryBound(to: Arrays.self).pointee else { return }
    for index in arrays.range(Int(part)) {
        let state = arrays.state[index] * 0.9 + 0.1
        arrays.state[index] = state
        arrays.weights[index] -= state * 1e-12
    }
}
