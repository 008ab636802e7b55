import GraftGraph

/// A learning rate as a function of the step: a number, or one of Keras's schedules.
///
///     Adam(learningRate: 1e-3)
///     Adam(learningRate: .cosineDecay(initial: 1e-3, decaySteps: 1000))
///     SGD(learningRate: .exponentialDecay(initial: 0.1, decaySteps: 500, decayRate: 0.9).warmedUp(over: 100))
///
/// Steps are counted from 0, the first one since `compile`, and continue over several calls of `fit`. With gradient
/// accumulation every batch is a step here, as in Keras. Rates are computed in 64 bits and rounded once.
///
/// Source: keras/src/optimizers/schedules/learning_rate_schedule.py, version 3.15.
public struct LearningRateSchedule: Sendable, CustomStringConvertible {
    /// The schedule's name: `cosine_decay`; of a constant, the number.
    public let description: String
    /// The number, where the rate is one; `nil` for a rate that changes.
    public let constant: Float?
    private let rule: @Sendable (Double) -> Double
    private let problem: String?

    /// A schedule of your own.
    ///
    /// - Parameters:
    ///   - name: what messages call it.
    ///   - rule: the rate at a step, 0 for the first.
    public init(_ name: String, _ rule: @escaping @Sendable (_ step: Int) -> Float) {
        self.init(name, problem: nil) { Double(rule(Int($0))) }
    }

    package init(_ name: String, problem: String?, rule: @escaping @Sendable (Double) -> Double) {
        (description, constant, self.problem, self.rule) = (name, nil, problem, rule)
    }

    private init(constant: Float) {
        (description, self.constant, problem) = ("\(constant)", constant, nil)
        rule = { _ in Double(constant) }
    }

    /// The same rate at every step.
    public static func constant(_ rate: Float) -> LearningRateSchedule { LearningRateSchedule(constant: rate) }

    /// The rate at a step, 0 for the first since `compile`.
    public func rate(at step: Int) -> Float { constant ?? Float(value(at: step)) }

    /// The rate before it is rounded.
    func value(at step: Int) -> Double { rule(Double(max(step, 0))) }

    /// - Throws: `GraftError` with code `argument` that names the argument that is outside its range.
    func validate(of optimizer: String) throws(GraftError) {
        if let problem { throw GraftError(.argument, "the learning rate \(description) of \(optimizer): \(problem)") }
        try requireArgument("the learning rate", constant ?? rate(at: 0), in: 0...(.infinity), of: optimizer)
    }

    /// The first of some demands that is not met, in words.
    static func problem(_ demands: (isMet: Bool, words: String)...) -> String? {
        demands.first { !$0.isMet }?.words
    }
}

extension LearningRateSchedule: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// The same rate at every step.
    public init(floatLiteral value: Float) { self = .constant(value) }
    /// The same rate at every step.
    public init(integerLiteral value: Int) { self = .constant(Float(value)) }
}
