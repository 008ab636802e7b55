import GraftFormats

/// The models of Tests/Keras/formats.py, in Swift.
enum TestModels {
    static func functional() throws -> Model {
        let inner = try Sequential(
            [Conv2D(4, kernelSize: 3, padding: .same), BatchNormalization(), Activation(.relu)], inputShape: [6, 6, 3],
            name: "inner")
        let left = Input(shape: [6, 6, 3], name: "left")
        let right = Input(shape: [6, 6, 3], name: "right")
        let shared = Conv2D(4, kernelSize: 3, strides: 2, activation: .relu)
        let a = try shared(inner(left))
        let b = try shared(inner(right))
        let joined = try Concatenate()([a, Multiply()([a, b]), Add()([a, b])])
        let pooled = try Dropout(0.3)(GlobalAveragePooling2D()(joined))
        let frozen = Dense(5, activation: .tanh)
        frozen.trainable = false
        let classes = try Dense(3, activation: .softmax)(frozen(pooled))
        return try Model(inputs: [left, right], outputs: [classes, Dense(1)(pooled)], name: "two")
    }

    static func sequential() throws -> Model {
        try Sequential(
            [
                Rescaling(1 / 127.5, offset: -1),
                Normalization(mean: [0.1, 0.2, 0.3], variance: [1, 2, 0.5]),
                ZeroPadding2D(padding: EdgePadding(top: 1, bottom: 0, left: 0, right: 1)),
                Conv2D(4, kernelSize: Size2D(3, 2), useBias: false),
                BatchNormalization(epsilon: 0.01, scale: false),
                Activation(.relu6),
                DepthwiseConv2D(kernelSize: 3, padding: .same, depthMultiplier: 2, activation: .swish),
                MaxPooling2D(poolSize: 2, padding: .same),
                AveragePooling2D(poolSize: 2, strides: 1, padding: .same),
                Conv2D(8, kernelSize: 1, groups: 2, activation: .gelu),
                Reshape([4, -1]), Flatten(), Dropout(0.5),
                Dense(6, activation: .elu), Dense(1, activation: .sigmoid),
            ], inputShape: [8, 8, 3], name: "stack")
    }

    static func nested() throws -> Model {
        let image = Input(shape: [6, 6, 3])
        let x = try Conv2D(4, kernelSize: 3)(BatchNormalization()(Conv2D(4, kernelSize: 3)(image)))
        let base = try Model(inputs: image, outputs: GlobalMaxPooling2D()(x), name: "base")
        base.trainable = false
        return try Sequential([base, Dense(4, activation: .relu), Dense(2, activation: .softmax)])
    }

    static let names = ["functional", "sequential", "nested"]

    static func model(_ name: String) throws -> Model {
        switch name {
        case "functional": try functional()
        case "sequential": try sequential()
        default: try nested()
        }
    }

    /// What the script's `fill` gives to array `k` of a model.
    static func expected(_ variable: Variable, array k: Int) -> Tensor {
        let numbers = Fixture.numbers(variable.shape, array: k)
        let values = variable.name.contains("variance") ? numbers.map { $0 * $0 + 0.5 } : numbers
        return Tensor(values, shape: variable.shape)
    }

    static func fill(_ model: Model) {
        for (k, variable) in model.variables.enumerated() { variable.value = expected(variable, array: k) }
    }
}

extension TestModels {
    /// The model's outputs by the reference interpreter.
    static func predict(_ model: Model, _ inputs: [Tensor]) throws -> [Tensor] {
        let lowered = try model.lower(batchSize: inputs[0].shape[0], training: false)
        let named = zip(lowered.inputNames, inputs).map { ($0, ReferenceArray($1)) }
        let values = lowered.variables.enumerated().map { (VariableID($0), ReferenceArray($1.value)) }
        let results = try Interpreter.run(
            lowered.graph, inputs: Dictionary(uniqueKeysWithValues: named),
            variables: Dictionary(uniqueKeysWithValues: values), randomKey: 0)
        return results.outputs.map(\.tensor)
    }
}

extension Shape {
    /// The axes of both, one after the other.
    static func + (left: Shape, right: Shape) -> Shape { Shape(left.dimensions + right.dimensions) }
}
