import GraftModel
import GraftTestSupport
import Testing

/// Numbers done by hand; every layer against Keras is in the tests of the backends.
@Suite struct LayerValueTests {
    /// 64-bit arithmetic on numbers that are exact in 32 bits, but for constants such as 1/127.5.
    static let exact = 1e-6

    @Test func averagePoolingLeavesPaddingOut() throws {
        let result = try interpret(AveragePooling2D(padding: .same), counting([1, 3, 3, 1]))
        #expect(result == ReferenceArray([3, 4.5, 7.5, 9], shape: [1, 2, 2, 1]))
    }

    @Test func evenKernelGetsItsPaddingBehind() throws {
        let layer = Conv2D(1, kernelSize: 2, padding: .same, useBias: false, kernelInitializer: .ones)
        let result = try interpret(layer, counting([1, 2, 2, 1]))
        #expect(result.values == [10, 6, 7, 4])
    }

    @Test func denseWorksOnTheLastAxis() throws {
        let layer = Dense(2)
        let x = Input(shape: [2, 3])
        let model = try Model(inputs: x, outputs: layer(x))
        try layer.setWeights([Tensor([1, 0, 0, 1, 1, 1], shape: [3, 2]), Tensor([10, 20], shape: [2])])
        let result = try interpret(model, [counting([1, 2, 3])]).outputs[0]
        #expect(result == ReferenceArray([14, 25, 20, 31], shape: [1, 2, 2]))
    }

    @Test func depthwiseOutputsOfOneChannelStandTogether() throws {
        let layer = DepthwiseConv2D(kernelSize: 1, depthMultiplier: 2, useBias: false)
        let x = Input(shape: [1, 1, 2])
        let model = try Model(inputs: x, outputs: layer(x))
        try layer.setWeights([Tensor([1, 2, 3, 4], shape: [1, 1, 2, 2])])
        #expect(
            try interpret(model, [Tensor([10, 100], shape: [1, 1, 1, 2])]).outputs[0].values == [10, 20, 300, 400])
    }

    @Test func groupsSeeTheirOwnChannels() throws {
        let layer = Conv2D(2, kernelSize: 1, groups: 2, useBias: false, kernelInitializer: .ones)
        #expect(try interpret(layer, Tensor([1, 2, 30, 40], shape: [1, 1, 1, 4])).values == [3, 70])
    }

    @Test func zeroPaddingKeepsItsSides() throws {
        let layer = ZeroPadding2D(padding: EdgePadding(top: 1, bottom: 0, left: 0, right: 2))
        #expect(try interpret(layer, counting([1, 1, 2, 1])).values == [0, 0, 0, 0, 1, 2, 0, 0])
    }

    @Test func rescalingMultipliesThenAdds() throws {
        let input = Tensor([0, 127.5, 255], shape: [1, 3])
        expectClose(
            try interpret(Rescaling(1 / 127.5, offset: -1), input), ReferenceArray([-1, 0, 1], shape: [1, 3]),
            tolerance: Self.exact)
        let channels = Rescaling(scale: [1, 2, 3], offset: [0, 0, 1])
        #expect(try interpret(channels, Tensor([1, 1, 1], shape: [1, 3])).values == [1, 2, 4])
    }

    @Test func normalizationHasASmallestDeviation() throws {
        let layer = Normalization(mean: [1, 1], variance: [4, 0])
        expectClose(
            try interpret(layer, Tensor([5, 2], shape: [1, 2])), ReferenceArray([2, 1e7], shape: [1, 2]),
            tolerance: Self.exact)
    }

    @Test func normalizationIsUndoneByItsInverse() throws {
        let given = Normalization(mean: [1, 2], variance: [4, 9])
        let inverse = Normalization(mean: [1, 2], variance: [4, 9], invert: true)
        let x = Input(shape: [2])
        let model = try Model(inputs: x, outputs: inverse(given(x)))
        let input = Tensor([5, -3], shape: [1, 2])
        expectClose(try interpret(model, [input]).outputs[0], ReferenceArray(input), tolerance: Self.exact)
    }

    @Test func normalizationReadsItsVariables() throws {
        let layer = Normalization()
        let x = Input(shape: [1, 2])
        let model = try Model(inputs: x, outputs: layer(x))
        try layer.setWeights([Tensor([1, 2], shape: [2]), Tensor([4, 16], shape: [2]), Tensor(7)])
        #expect(try interpret(model, [Tensor([3, 6], shape: [1, 1, 2])]).outputs[0].values == [1, 1])
        #expect(layer.trainableVariables.isEmpty)
    }

    @Test func mergedTensorsOfFewerAxesMissThemBehindTheBatch() throws {
        let (x, y) = (Input(shape: [1, 2, 2]), Input(shape: [2]))
        let model = try Model(inputs: [x, y], outputs: Add()([x, y]))
        let result = try interpret(model, [counting([2, 1, 2, 2]), Tensor([10, 20, 30, 40], shape: [2, 2])])
        #expect(result.outputs[0].values == [11, 22, 13, 24, 35, 46, 37, 48])
    }

    @Test func multiplyTakesAnyNumber() throws {
        let x = Input(shape: [2])
        let model = try Model(inputs: x, outputs: Multiply()([x, x, x]))
        #expect(try interpret(model, [Tensor([2, 3], shape: [1, 2])]).outputs[0].values == [8, 27])
    }

    @Test func concatenateKeepsTheOrder() throws {
        let (x, y) = (Input(shape: [1, 2]), Input(shape: [1, 2]))
        let model = try Model(inputs: [x, y], outputs: Concatenate(axis: 1)([y, x]))
        let result = try interpret(model, [counting([1, 1, 2]), counting([1, 1, 2], step: 10)])
        #expect(result.outputs[0] == ReferenceArray([10, 20, 1, 2], shape: [1, 2, 2]))
    }

    struct Function: Sendable, CustomTestStringConvertible {
        let function: ActivationFunction
        let values: [Double]
        var testDescription: String { function.rawValue }
    }

    /// At −2, −0.5, 0.25, 3 and 8; from the formulas in the documentation, by Python's `math`.
    static let functions = [
        Function(function: .linear, values: [-2, -0.5, 0.25, 3, 8]),
        Function(function: .relu, values: [0, 0, 0.25, 3, 8]),
        Function(function: .relu6, values: [0, 0, 0.25, 3, 6]),
        Function(
            function: .sigmoid,
            values: [
                0.11920292202211755, 0.3775406687981454, 0.5621765008857981, 0.9525741268224334, 0.9996646498695336,
            ]
        ),
        Function(
            function: .tanh,
            values: [
                -0.9640275800758169, -0.46211715726000973, 0.24491866240370913, 0.9950547536867305, 0.9999997749296758,
            ]
        ),
        Function(function: .elu, values: [-0.8646647167633873, -0.3934693402873666, 0.25, 3, 8]),
        Function(
            function: .gelu,
            values: [
                -0.04550026389635842, -0.15426876936299344, 0.14967664068218858, 2.9959503059051016, 7.999999999999995,
            ]
        ),
        Function(
            function: .geluTanh,
            values: [-0.04540230591222494, -0.15428599017516514, 0.14967532289294036, 2.996362607918227, 8]),
        Function(
            function: .silu,
            values: [-0.2384058440442351, -0.1887703343990727, 0.14054412522144952, 2.8577223804673, 7.997317198956269]),
    ]

    @Test(arguments: functions) func activationFollowsItsFormula(_ test: Function) throws {
        let result = try interpret(Activation(test.function), Tensor([-2, -0.5, 0.25, 3, 8], shape: [1, 5]))
        // Constants such as √(2/π) are rounded to 32 bits.
        expectClose(result, ReferenceArray(test.values, shape: [1, 5]), tolerance: 1e-7)
    }

    @Test func softmaxGoesOverTheLastAxis() throws {
        let result = try interpret(Activation(.softmax), Tensor([0, 0, 1000, 1000, 0, 0], shape: [1, 3, 2]))
        #expect(result.values == [0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    }

    @Test func softmaxOfADenseLayerIsTheLastOperation() throws {
        let x = Input(shape: [3])
        for (function, operation) in [
            (ActivationFunction.softmax, Operation.softmax(.softmax)), (.sigmoid, .elementwise(.unary(.sigmoid))),
        ] {
            let lowered = try Model(inputs: x, outputs: Dense(2, activation: function)(x)).lower(
                batchSize: 1, training: true)
            #expect(lowered.graph[lowered.outputs[0]].operation == operation)
        }
    }
}
