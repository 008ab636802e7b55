import Synchronization

/// A named array that a layer owns: a kernel, a bias, a moving mean.
///
/// Its first value is drawn when it is first read, so that a model whose weights are loaded pays for no random numbers.
/// Variables are equal when they are the same object. All members may be used from many threads.
public final class Variable: Sendable {
    /// The name within its layer: `kernel`.
    public let name: String
    /// The sizes of its axes.
    public let shape: Shape
    /// Whether it is of a kind that training changes: true for a kernel, false for a moving mean.
    ///
    /// Whether it does train depends on its layer too: see ``Layer/trainableVariables``.
    public let trainable: Bool
    /// Draws its first value.
    public let initializer: Initializer
    /// Adds a regularization loss while it trains.
    public let regularizer: Regularizer?
    /// What it is brought back to after each step of training.
    public let constraint: Constraint?
    private let state: Mutex<State>
    /// Held while the initial value is computed.
    private let creation = Mutex(())

    private struct State {
        var path: String
        var seed: InitializerStream
        var content = Content.untouched
    }

    private enum Content {
        case untouched
        case stored(Tensor)
    }

    /// A variable without a value yet.
    package init(
        name: String, shape: Shape, initializer: Initializer, regularizer: Regularizer? = nil,
        constraint: Constraint? = nil, trainable: Bool, path: String, seed: InitializerStream
    ) {
        (self.regularizer, self.constraint) = (regularizer, constraint)
        (self.name, self.shape, self.initializer, self.trainable) = (name, shape, initializer, trainable)
        state = Mutex(State(path: path, seed: seed))
    }

    /// The layer's name and its own: `conv2d/kernel`.
    public internal(set) var path: String {
        get { state.withLock { $0.path } }
        set { state.withLock { $0.path = newValue } }
    }

    /// The current value; drawn from ``initializer`` where nothing was set before.
    ///
    /// - Precondition: a new value has the variable's shape; ``assign(_:)`` throws instead.
    public var value: Tensor {
        get {
            if let tensor = existingValue { return tensor }
            // Threads that ask for it meanwhile wait; others do not.
            return creation.withLock { _ in
                if let tensor = existingValue { return tensor }
                let tensor = initializer.tensor(of: shape, seed: state.withLock { $0.seed })
                return state.withLock { state in
                    if case .stored(let tensor) = state.content { return tensor }
                    state.content = .stored(tensor)
                    return tensor
                }
            }
        }
        set {
            precondition(newValue.shape == shape, "\(path) has the shape \(shape), not \(newValue.shape)")
            state.withLock { $0.content = .stored(newValue) }
        }
    }

    /// Sets the value.
    ///
    /// - Throws: ``GraftError`` with code `weights` where the shape is another.
    public func assign(_ tensor: Tensor) throws(GraftError) {
        guard tensor.shape == shape else {
            throw GraftError(.weights, "the variable \(path) has the shape \(shape); it was given \(tensor.shape)")
        }
        value = tensor
    }

    /// Whether a value was set or drawn.
    public var isInitialized: Bool {
        state.withLock { state in
            if case .untouched = state.content { return false }
            return true
        }
    }

    /// Sets the random stream of the initial value, unless the value exists or the initializer has its own seed.
    func assignStream(_ seed: InitializerStream) {
        state.withLock { $0.seed = seed }
    }

    private var existingValue: Tensor? {
        state.withLock { state in
            if case .stored(let tensor) = state.content { return tensor }
            return nil
        }
    }
}

extension Variable: Hashable {
    /// The same object.
    public static func == (left: Variable, right: Variable) -> Bool { left === right }
    /// By identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
