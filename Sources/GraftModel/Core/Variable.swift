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
    /// How its first value is made.
    public let initializer: Initializer
    /// What is added to the loss for its size while it trains.
    public let regularizer: Regularizer?
    private let state: Mutex<State>
    /// Held while the initial value is computed.
    private let creation = Mutex(())

    private struct State {
        var path: String
        var seed: InitializerSeed
        var content = Content.untouched
    }

    private enum Content {
        case untouched
        case stored(Tensor)
        case lent(@Sendable () -> Tensor)
    }

    /// A variable without a value yet.
    package init(
        name: String, shape: Shape, initializer: Initializer, regularizer: Regularizer? = nil, trainable: Bool,
        path: String, seed: InitializerSeed
    ) {
        self.regularizer = regularizer
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
            let reader = state.withLock { state -> (@Sendable () -> Tensor)? in
                if case .lent(let reader) = state.content { return reader }
                return nil
            }
            return reader?() ?? storedValue
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

    /// Gives the value away for as long as somebody else changes it in place, a plan that trains for instance: the
    /// variable keeps no reference and asks `reader` when it is read. Setting ``value`` ends the loan.
    package func lend(reader: @escaping @Sendable () -> Tensor) {
        state.withLock { $0.content = .lent(reader) }
    }

    /// Where the initial value's random numbers come from, unless the value exists or the initializer has its own seed.
    func place(_ seed: InitializerSeed) {
        state.withLock { $0.seed = seed }
    }

    private var storedValue: Tensor {
        if let tensor = existingValue { return tensor }
        // Whoever asks meanwhile waits for it; whoever asks for something else does not.
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
