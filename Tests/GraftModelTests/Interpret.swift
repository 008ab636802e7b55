import GraftModel
import GraftTestSupport

/// Runs a model in the reference interpreter.
///
/// - Parameter inputs: one tensor for each of the model's inputs, with a batch axis in front.
/// - Returns: the outputs, and the next values of the variables that the run writes to.
func interpret(
    _ model: Model, _ inputs: [Tensor], training: Bool = false, randomKey: UInt64 = 0
) throws -> (outputs: [ReferenceArray], updates: [Variable: ReferenceArray]) {
    let lowered = try model.lower(batchSize: inputs.first?.shape[0] ?? 1, training: training)
    var variables: [VariableID: ReferenceArray] = [:]
    for (position, variable) in lowered.variables.enumerated() {
        variables[VariableID(position)] = ReferenceArray(variable.value)
    }
    let named = Dictionary(uniqueKeysWithValues: zip(lowered.inputNames, inputs.map { ReferenceArray($0) }))
    let results = try Interpreter.run(lowered.graph, inputs: named, variables: variables, randomKey: randomKey)
    var updates: [Variable: ReferenceArray] = [:]
    for (identifier, value) in results.updates { updates[lowered.variables[identifier.rawValue]] = value }
    return (results.outputs, updates)
}

/// Runs one layer on one input.
func interpret(_ layer: Layer, _ input: Tensor, training: Bool = false) throws -> ReferenceArray {
    let x = Input(shape: Shape(Array(input.shape.dimensions.dropFirst())))
    return try interpret(Model(inputs: x, outputs: layer(x)), [input], training: training).outputs[0]
}
