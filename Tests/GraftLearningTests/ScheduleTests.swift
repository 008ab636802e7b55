import Foundation
import GraftGraph
import GraftTestSupport
import KerasFixtures
import Testing

@testable import GraftLearning

@Suite struct ScheduleTests {
    /// Fifty steps against Keras's in float32: its rounding, relative to the largest rate.
    @Test(arguments: LearningFixture.shared.schedules)
    func fiftyStepsEqualKeras(_ expected: LearningFixture.ScheduleCase) throws {
        let schedule = try makeSchedule(expected.name, expected.arguments)
        let rates = expected.values.indices.map { schedule.rate(at: $0) }
        expectClose(rates, expected.values, tolerance: 2e-6, "the rates")
    }

    @Test func aNumberIsTheSameAtEveryStep() {
        let schedule: LearningRateSchedule = 0.1
        #expect((0..<3).map { schedule.rate(at: $0) } == [0.1, 0.1, 0.1])
        #expect(LearningRateSchedule.constant(0.25).constant == 0.25)
    }

    @Test func warmUpIsAStraightLineAndThenTheScheduleFromItsBeginning() {
        let schedule = LearningRateSchedule.exponentialDecay(initial: 1, decaySteps: 1, decayRate: 0.5)
            .warmedUp(over: 4, from: 0.2)
        expectClose(
            (0..<7).map { schedule.rate(at: $0) }, [0.2, 0.4, 0.6, 0.8, 1, 0.5, 0.25], tolerance: 1e-7, "the rates")
        #expect(LearningRateSchedule.constant(3).warmedUp(over: 0).rate(at: 0) == 3)
    }

    @Test func oneCycleRisesToTheMaximumAndFallsToTheEnd() {
        let schedule = LearningRateSchedule.oneCycle(maximum: 1, steps: 20, warmupShare: 0.25, divisor: 10)
        // The peak is at step 0.25 · 20 − 1, half of the way up is the mean of both ends.
        #expect(schedule.rate(at: 0) == 0.1)
        expectClose([schedule.rate(at: 2)], [0.55], tolerance: 1e-6, "half of the way up")
        #expect(schedule.rate(at: 4) == 1)
        expectClose([schedule.rate(at: 19), schedule.rate(at: 99)], [1e-5, 1e-5], tolerance: 1e-6, "the end")
        let rates = (4..<20).map { schedule.rate(at: $0) }
        #expect(rates == rates.sorted(by: >))
    }

    @Test func aScheduleOfYourOwnIsAFunctionOfTheStep() {
        let schedule = LearningRateSchedule("mine") { 1 / Float($0 + 1) }
        #expect(schedule.rate(at: 3) == 0.25)
    }

    static let wrong: [(LearningRateSchedule, String)] = [
        (
            .cosineDecay(initial: 1, decaySteps: 0),
            "the learning rate cosine_decay of SGD: the number of decay steps is 0; it must be 1 or more"
        ),
        (
            .piecewiseConstant(boundaries: [1, 2], values: [1]),
            "the learning rate piecewise_constant of SGD: 2 boundaries and 1 values; there must be one value more than "
                + "boundaries"
        ),
        (
            .piecewiseConstant(boundaries: [2, 1], values: [1, 2, 3]),
            "the learning rate piecewise_constant of SGD: the boundaries [2, 1] must ascend"
        ),
        (
            .oneCycle(maximum: 1, steps: 1),
            "the learning rate one_cycle of SGD: the cycle has 1 steps; it must have 2 or more"
        ),
        (
            .exponentialDecay(initial: -1, decaySteps: 1, decayRate: 1),
            "the learning rate of SGD is -1.0; it must be at least 0.0"
        ),
    ]

    @Test(arguments: wrong)
    func argumentOutOfRangeThrows(_ schedule: LearningRateSchedule, message: String) {
        #expect { try SGD(learningRate: schedule).validate() } throws: { ($0 as? GraftError)?.message == message }
    }
}

/// The schedule that Keras's name and arguments mean.
func makeSchedule(_ name: String, _ values: LearningFixture.Arguments) throws -> LearningRateSchedule {
    let arguments = KerasArguments(values: values)
    let (initial, steps) = (arguments.number("initial_learning_rate", 0), arguments.integer("decay_steps", 0))
    let (rate, alpha) = (arguments.number("decay_rate", 0), arguments.number("alpha", 0))
    switch name {
    case "ExponentialDecay":
        return .exponentialDecay(
            initial: initial, decaySteps: steps, decayRate: rate, staircase: arguments.flag("staircase"))
    case "InverseTimeDecay":
        return .inverseTimeDecay(
            initial: initial, decaySteps: steps, decayRate: rate, staircase: arguments.flag("staircase"))
    case "PiecewiseConstantDecay":
        return .piecewiseConstant(
            boundaries: (values["boundaries"]?.numbers ?? []).map { Int($0) }, values: values["values"]?.numbers ?? [])
    case "PolynomialDecay":
        return .polynomialDecay(
            initial: initial, decaySteps: steps, end: arguments.number("end_learning_rate", 1e-4),
            power: arguments.number("power", 1), cycle: arguments.flag("cycle"))
    case "CosineDecay":
        return .cosineDecay(
            initial: initial, decaySteps: steps, alpha: alpha, warmupTarget: values["warmup_target"]?.number,
            warmupSteps: arguments.integer("warmup_steps", 0))
    case "CosineDecayRestarts":
        return .cosineDecayRestarts(
            initial: initial, firstDecaySteps: arguments.integer("first_decay_steps", 0),
            tMul: arguments.number("t_mul", 2), mMul: arguments.number("m_mul", 1), alpha: alpha)
    default: throw GraftError(.argument, "no schedule \(name)")
    }
}
