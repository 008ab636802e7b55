import GraftCPU
import GraftModel
import Testing

/// What models compute on this machine's processor.
enum CPUOutput {
    /// The first output of a model of one input, not training.
    static func of(_ model: Model, for images: Tensor) throws -> Tensor { try of(model, for: [images]) }

    /// The first output of a model, not training.
    static func of(_ model: Model, for inputs: [Tensor]) throws -> Tensor {
        let lowered = try model.lower(batchSize: inputs[0].shape[0], training: false)
        let plan = try CPUPlan(lowered.graph)
        let values = lowered.variables.enumerated().map { (VariableID($0), $1.value) }
        try plan.bind(Dictionary(uniqueKeysWithValues: values))
        let named = Dictionary(uniqueKeysWithValues: zip(lowered.inputNames, inputs))
        return try #require(try plan.run(named).first)
    }
}
