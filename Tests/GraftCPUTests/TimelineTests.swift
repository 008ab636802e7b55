import GraftCPU
import GraftGraph
import GraftTestSupport
import Testing

/// What plans write down about their runs.
@Suite struct TimelineTests {
    /// A convolution with an activation, and a dense layer behind it.
    static func graph() throws -> Graph {
        var graph = Graph()
        graph.currentLabel = "convolution"
        let x = try graph.input("x", [2, 6, 6, 3])
        let w = try graph.variable(VariableID(0), [3, 3, 3, 8])
        let image = try graph.unary(.relu, graph.convolution(x, kernel: w, Convolution()))
        graph.currentLabel = "dense"
        let dense = try graph.variable(VariableID(1), [8 * 16, 5])
        graph.outputs = [try graph.matrixProduct(graph.reshape(image, to: [2, 8 * 16]), dense)]
        return graph
    }

    static func plan(_ timeline: Timeline?) throws -> CPUPlan {
        var options = CPUOptions(threads: 2)
        options.timeline = timeline
        let plan = try CPUPlan(graph(), options: options)
        try plan.bind(values)
        return plan
    }

    static let values = [
        VariableID(0): Tensor(repeating: 0.5, shape: [3, 3, 3, 8]),
        VariableID(1): Tensor(repeating: 0.25, shape: [128, 5]),
    ]

    static let inputs = ["x": Tensor(repeating: 1, shape: [2, 6, 6, 3])]

    @Test func everyStepIsCountedInEveryRun() throws {
        let timeline = Timeline()
        let plan = try Self.plan(timeline)
        for _ in 0..<3 { _ = try plan.run(Self.inputs) }
        #expect(timeline.steps.count == plan.report.steps)
        #expect(timeline.steps.allSatisfy { $0.count == 3 })
        #expect(Set(timeline.steps.map(\.label)) == ["convolution", "dense"])
    }

    /// A run that has half of the threads takes twice as long as the machine needs for it.
    @Test func runsThatGoOnAtOnceShareTheTime() throws {
        let timeline = Timeline()
        var options = CPUOptions(threads: 2)
        (options.timeline, options.concurrentRuns) = (timeline, 2)
        let plan = try CPUPlan(Self.graph(), options: options)
        try plan.bind(Self.values)
        let alone = try Self.plan(nil).run(Self.inputs)
        for _ in 0..<2 { #expect(try plan.run(Self.inputs) == alone) }
        let spans = timeline.spans.filter { !$0.implementation.isEmpty }.reduce(0) { $0 + $1.seconds }
        let counted = timeline.steps.reduce(0) { $0 + $1.seconds }
        // Sums of the same differences in another order.
        #expect(abs(counted - spans / 2) < 1e-9)
        #expect(counted > 0)
    }

    /// A convolution with a kernel of 3 × 3 × 3 makes 2 × 4 × 4 × 8 numbers, the product 2 × 5 from 128 each.
    @Test func arithmeticIsCountedAsByHand() throws {
        let timeline = Timeline()
        _ = try Self.plan(timeline).run(Self.inputs)
        let flops = timeline.steps.reduce(into: [:]) { $0[$1.label, default: 0] += $1.flopCount }
        #expect(flops == ["convolution": 2 * 27 * 256, "dense": 2 * 128 * 10])
    }

    /// Operands: [2, 6, 6, 3] and a kernel of [3, 3, 3, 8], which gives [2, 4, 4, 8].
    @Test func gradientsOfAConvolutionCostAsMuchAsTheConvolution() {
        let (image, kernel, result): (Shape, Shape, Shape) = ([2, 6, 6, 3], [3, 3, 3, 8], [2, 4, 4, 8])
        let convolution = Convolution()
        let forward = Operation.convolution(.forward(convolution, .none)).flopCount(
            of: [image, kernel], result: result)
        let inputGradient = Operation.convolution(.inputGradient(convolution, input: image))
        let kernelGradient = Operation.convolution(.kernelGradient(convolution, kernel: kernel))
        #expect(forward == 2 * 27 * 256)
        #expect(inputGradient.flopCount(of: [result, kernel], result: image) == forward)
        #expect(kernelGradient.flopCount(of: [image, result], result: kernel) == forward)
        #expect(Operation.elementwise(.unary(.relu)).flopCount(of: [image], result: image) == 0)
    }

    @Test func spansAddUpToTheStepsTimes() throws {
        let timeline = Timeline()
        let plan = try Self.plan(timeline)
        for _ in 0..<3 { _ = try plan.run(Self.inputs) }
        let spans = timeline.spans.filter { !$0.implementation.isEmpty }
        #expect(spans.count == 3 * plan.report.steps)
        let (sum, wanted) = (spans.reduce(0) { $0 + $1.seconds }, timeline.steps.reduce(0) { $0 + $1.seconds })
        // The same differences of the clock, added in another order.
        #expect(abs(sum - wanted) < 1e-9)
    }

    @Test func spansOfARunLieWithinIt() throws {
        let timeline = Timeline()
        let plan = try Self.plan(timeline)
        _ = try plan.run(Self.inputs)
        let run = try #require(timeline.spans.first { $0.category == "plan" })
        let steps = timeline.spans.filter { !$0.implementation.isEmpty }
        #expect(steps.allSatisfy { $0.start >= run.start && $0.end <= run.end + 1e-12 && $0.lane == run.lane })
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.end <= $1.start + 1e-12 })
    }

    @Test func spansBeyondTheLimitAreInTheSumsAlone() throws {
        let timeline = Timeline()
        let plan = try Self.plan(timeline)
        let each = plan.report.steps + 1
        let runs = Timeline.spanLimit / each + 3
        for _ in 0..<runs { _ = try plan.run(Self.inputs) }
        #expect(timeline.steps.allSatisfy { $0.count == runs })
        #expect(timeline.leftOutCount == 3 * each)
        #expect(timeline.spans.count { !$0.implementation.isEmpty } == (runs - 3) * plan.report.steps)
    }

    @Test func limitsArePositive() throws {
        let limits = try MachineLimits.measured(threads: 1)
        #expect(limits.flopsPerSecond > 0 && limits.flopsPerSecond.isFinite)
        #expect(limits.bytesPerSecond > 0 && limits.bytesPerSecond.isFinite)
        #expect((limits.bfloat16FlopsPerSecond != nil) == CPUOptions.supportsBFloat16)
    }

    @Test func theLongerOfArithmeticAndMemoryIsTheLimit() {
        let limits = MachineLimits(flopsPerSecond: 100, bytesPerSecond: 10)
        var step = StepProfile(label: "", operation: "", implementation: "", count: 2, seconds: 0)
        (step.flopCount, step.byteCount) = (300, 20)
        #expect(step.seconds(at: limits) == 6)
        step.byteCount = 50
        #expect(step.seconds(at: limits) == 10)
    }

    @Test func bfloat16HasALimitOfItsOwn() {
        var step = StepProfile(label: "", operation: "", implementation: "", count: 2, seconds: 0, flopCount: 300)
        step.isBFloat16 = true
        #expect(
            step.seconds(at: MachineLimits(flopsPerSecond: 100, bfloat16FlopsPerSecond: 200, bytesPerSecond: 10)) == 3)
        #expect(step.seconds(at: MachineLimits(flopsPerSecond: 100, bytesPerSecond: 10)) == 6)
    }
}
