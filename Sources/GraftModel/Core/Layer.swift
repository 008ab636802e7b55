import Synchronization

/// What a user composes into a model: a function of tensors with variables of its own.
///
/// Subclasses keep their arguments as constants and make their variables in ``build(inputShapes:)`` with
/// ``addVariable(_:shape:initializer:regularizer:constraint:trainable:)``; the base class guards all that changes with a
/// lock, so that a layer may be used from many threads. Shapes never include the batch axis.
///
/// Source: keras/src/layers/layer.py.
open class Layer: @unchecked Sendable {  // what changes is guarded by `state`; subclasses hold constants
    /// Keras's name for the class, as model files spell it: `Conv2D`.
    open class var className: String { schema?.className ?? String(describing: self) }

    /// The table of the layer's arguments; `nil` for models, and for layers of users, which say themselves what is in it.
    class var schema: LayerSchema? { nil }

    /// Layers in the order they were made; decides the order of automatic names.
    let creationSequence: Int
    private let state: Mutex<State>
    private let building = Mutex(())

    private struct State {
        var name: String
        var isNamed: Bool
        var isNameExplicit: Bool
        var trainable = true
        var isPermanentlyFrozen = false
        var isBuilt = false
        var inputShapes: [Shape] = []
        var variables: [Variable] = []
        var calls: [WeakCall] = []
        var activityRegularizer: Regularizer?
    }

    private struct WeakCall {
        weak var call: Call?
    }

    /// A layer that is not built yet.
    ///
    /// - Parameters:
    ///   - name: The layer's name; unnamed layers get one when a ``Model`` first contains them.
    ///   - trainable: Whether training changes its variables.
    public init(name: String? = nil, trainable: Bool = true) {
        creationSequence = CreationSequence.next()
        state = Mutex(
            State(
                name: name ?? Self.className.snakeCased, isNamed: name != nil, isNameExplicit: name != nil,
                trainable: trainable))
    }

    // MARK: What a subclass says

    /// Makes the variables for inputs of these shapes. Called once, before the first call.
    ///
    /// - Throws: ``GraftError`` with code `shape` where the layer cannot take them.
    open func build(inputShapes: [Shape]) throws(GraftError) {}

    /// The shape of the result for inputs of these shapes; a pure function.
    ///
    /// - Throws: ``GraftError`` with code `shape` where the layer cannot take them.
    open func outputShape(for inputShapes: [Shape]) throws(GraftError) -> Shape { try Self.only(inputShapes) }

    /// Adds the layer's operations to the context's graph. The values have a batch axis in front.
    open func lower(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> ValueID {
        try Self.only(inputs)
    }

    /// The arguments as Keras's `get_config` gives them, without `name`, `trainable` and `dtype`.
    open var arguments: [String: Configuration] { Self.schema?.arguments(self) ?? [:] }

    /// Checks the arguments' ranges; called before the layer is built.
    ///
    /// - Throws: ``GraftError`` with code `argument`.
    open func checkArguments() throws(GraftError) {
        guard let problem = Self.schema?.problem(self) else { return }
        throw GraftError(.argument, "\(Self.className): \(problem)")
    }

    /// What the elements of a result are: those of the input where only its shape changes, else float32.
    package func elementType(ofOutput position: Int, inputs: [ElementType]) -> ElementType {
        has(.keepsNumbers) ? inputs.first ?? .float32 : .float32
    }

    // MARK: Hooks of layers that hold layers

    /// The layers inside, none but for models.
    package var sublayers: [Layer] { [] }

    /// Keras's name of what the layer is: of an operation, that of its function.
    package var kindName: String { Self.className }

    /// Whether Keras's call of this layer takes a list, as `Add` and `Concatenate` do.
    package var takesList: Bool { has(.takesList) }

    /// Whether the layer's table says so.
    final func has(_ trait: LayerTrait) -> Bool { Self.schema?.traits.contains(trait) ?? false }

    /// The shapes of all results; more than one only for models.
    package func outputShapes(for inputShapes: [Shape]) throws(GraftError) -> [Shape] {
        [try outputShape(for: inputShapes)]
    }

    /// Lowers to all results; more than one only for models.
    package func lowerAll(_ inputs: [ValueID], in context: inout LoweringContext) throws(GraftError) -> [ValueID] {
        [try lower(inputs, in: &context)]
    }

    // MARK: Hooks of layers whose inputs have names

    /// What calls may name; `nil` for layers that tell their inputs by position alone.
    package var callSignature: CallSignature? { nil }

    /// The shapes that the layer is built with, of a call's inputs.
    package func builtShapes(of inputShapes: [Shape], _ arguments: CallArguments) throws(GraftError) -> [Shape] {
        inputShapes
    }

    /// The shapes of all results of a call.
    package func outputShapes(
        for inputShapes: [Shape], _ arguments: CallArguments
    ) throws(GraftError) -> [Shape] { try outputShapes(for: inputShapes) }

    /// Lowers a call to all its results.
    package func lowerAll(
        _ inputs: [ValueID], _ arguments: CallArguments, in context: inout LoweringContext
    ) throws(GraftError) -> [ValueID] { try lowerAll(inputs, in: &context) }

    // MARK: Its place in a model

    /// What goes into the layer's one call; of a ``Model``, its input.
    ///
    /// - Throws: ``GraftError`` with code `state` where the layer has no call, several calls or several inputs.
    public var input: SymbolicTensor {
        get throws(GraftError) { try Self.only(onlyCall.inputs) }
    }

    /// What comes out of the layer's one call; of a ``Model``, its output.
    ///
    /// - Throws: ``GraftError`` with code `state` where the layer has no call, several calls or several outputs.
    public var output: SymbolicTensor {
        get throws(GraftError) { try Self.only(onlyCall.outputs) }
    }

    // MARK: State

    /// The name, unique within a model. Until a model contains an unnamed layer, its class's name in snake case.
    public final var name: String { state.withLock { $0.name } }

    /// Whether training changes the variables. Takes effect at the next `fit`. On a model, sets all layers inside.
    ///
    /// A layer that brings images into the form that a base's weights were made for, such as `bgr` in VGG16 and
    /// ResNet50, holds constants: it stays frozen whatever is set.
    public final var trainable: Bool {
        get { state.withLock { $0.trainable } }
        set {
            setOwnTrainable(newValue)
            for layer in sublayers { layer.trainable = newValue }
        }
    }

    /// What the size of the outputs adds to the loss in `fit` and `evaluate`, divided by the number of examples.
    public final var activityRegularizer: Regularizer? {
        get { state.withLock { $0.activityRegularizer } }
        set { state.withLock { $0.activityRegularizer = newValue } }
    }

    /// What is added for the outputs: ``activityRegularizer``, but for a layer that is nothing else.
    package var outputRegularizer: Regularizer? { activityRegularizer }

    /// Whether the variables exist.
    public final var isBuilt: Bool { state.withLock { $0.isBuilt } }

    /// The shapes that the layer was built with, empty before.
    package final var builtInputShapes: [Shape] { state.withLock { $0.inputShapes } }

    func setOwnTrainable(_ trainable: Bool) { state.withLock { $0.trainable = trainable && !$0.isPermanentlyFrozen } }

    /// Whether the variables are constants that nothing unfreezes.
    package final var isPermanentlyFrozen: Bool { state.withLock { $0.isPermanentlyFrozen } }

    /// Freezes the layer for good: its variables are constants that belong to the network, not numbers to learn.
    package final func freezePermanently() {
        state.withLock { state in
            state.isPermanentlyFrozen = true
            state.trainable = false
        }
    }

    /// Whether a name was given or assigned, and whether it was given.
    var naming: (isNamed: Bool, isExplicit: Bool) { state.withLock { ($0.isNamed, $0.isNameExplicit) } }

    /// Names the layer and with it the paths of its variables.
    package final func rename(_ name: String, explicitly: Bool) {
        let variables = state.withLock { state in
            state.name = name
            state.isNamed = true
            state.isNameExplicit = explicitly
            return state.variables
        }
        for variable in variables { variable.path = "\(name)/\(variable.name)" }
        renameParts()
    }

    /// Names the layers inside of which the user knows nothing, after this one.
    package func renameParts() {}

    // MARK: Variables

    /// Makes a variable; for use in ``build(inputShapes:)``.
    @discardableResult
    public final func addVariable(
        _ name: String, shape: Shape, initializer: Initializer, regularizer: Regularizer? = nil,
        constraint: Constraint? = nil, trainable: Bool = true
    ) throws(GraftError) -> Variable {
        guard shape.hasSensibleSize else {
            throw GraftError(
                .shape, "\(self.name)/\(name): a variable of the shape \(shape) is larger than any machine")
        }
        try regularizer?.validate("\(self.name): the regularizer of \(name)", shape)
        try constraint?.validate("\(self.name): the constraint of \(name)", shape)
        return state.withLock { state in
            let variable = Variable(
                name: name, shape: shape, initializer: initializer, regularizer: regularizer,
                constraint: constraint, trainable: trainable, path: "\(state.name)/\(name)",
                seed: InitializerStream(key: 0, stream: UInt64(state.variables.count)))
            state.variables.append(variable)
            return variable
        }
    }

    /// The layer's own variables by kind: those that can train, then the others.
    final var ownVariables: [Variable] {
        let all = state.withLock { $0.variables }
        return all.filter(\.trainable) + all.filter { !$0.trainable }
    }

    /// One of the layer's own variables by name, `nil` before the layer is built or where there is none.
    public final func variable(named name: String) -> Variable? {
        state.withLock { $0.variables.first { $0.name == name } }
    }

    /// The variable that ``build(inputShapes:)`` made under this name.
    ///
    /// - Throws: ``GraftError`` with code `state` where the layer is not built.
    public final func requireVariable(_ name: String) throws(GraftError) -> Variable {
        guard let variable = variable(named: name) else {
            throw GraftError(
                .state, "the layer \(self.name) has no variable \(name): it is not built; call it on a tensor first")
        }
        return variable
    }

    // MARK: Building and calling

    /// Builds the layer for inputs of these shapes, unless it is built.
    package final func buildIfNeeded(_ inputShapes: [Shape]) throws(GraftError) {
        try building.withLock { _ throws(GraftError) in
            guard !isBuilt else { return }
            try checkArguments()
            try build(inputShapes: inputShapes)
            markBuilt(inputShapes)
        }
    }

    final func markBuilt(_ inputShapes: [Shape]) {
        state.withLock { state in
            state.isBuilt = true
            state.inputShapes = inputShapes
        }
    }

    final func remember(_ call: Call) {
        state.withLock { state in
            state.calls.removeAll { $0.call == nil }
            state.calls.append(WeakCall(call: call))
        }
    }

    /// The calls of this layer that somebody still holds, in the order they were made.
    package final var calls: [Call] { state.withLock { $0.calls.compactMap(\.call) } }

    /// The one input of a layer that takes one.
    public static func only<Element>(_ inputs: [Element]) throws(GraftError) -> Element {
        guard let input = inputs.first, inputs.count == 1 else {
            throw GraftError(.argument, "\(className) takes one input; it was given \(inputs.count)")
        }
        return input
    }
}
