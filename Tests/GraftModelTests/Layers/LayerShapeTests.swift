import GraftModel
import Testing

/// The shapes and parameter counts that the layers' documentation states.
@Suite struct LayerShapeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable () -> Layer
        let inputs: [Shape]
        let output: Shape
        let parameters: Int

        init(
            _ name: String, _ inputs: [Shape], _ output: Shape, parameters: Int = 0,
            _ make: @escaping @Sendable () -> Layer
        ) {
            (testDescription, self.inputs, self.output, self.parameters) = (name, inputs, output, parameters)
            self.make = make
        }
    }

    static let image: Shape = [9, 10, 6]

    static let windows = [
        // ⌊(9 − 3) / 1⌋ + 1 = 7, ⌊(10 − 3) / 1⌋ + 1 = 8
        Case("convolution", [image], [7, 8, 4], parameters: 220) { Conv2D(4, kernelSize: 3) },
        Case("convolution without bias", [image], [7, 8, 4], parameters: 216) {
            Conv2D(4, kernelSize: 3, useBias: false)
        },
        // ⌊(9 − 3) / 2⌋ + 1 = 4, ⌊(10 − 2) / 3⌋ + 1 = 3
        Case("convolution with strides", [image], [4, 3, 4], parameters: 148) {
            Conv2D(4, kernelSize: Size2D(3, 2), strides: Size2D(2, 3))
        },
        // ⌈9 / 2⌉ = 5, ⌈10 / 2⌉ = 5
        Case("convolution, same", [image], [5, 5, 4], parameters: 220) {
            Conv2D(4, kernelSize: 3, strides: 2, padding: .same)
        },
        // The kernel covers (3 − 1) · 3 + 1 = 7.
        Case("convolution with dilation", [image], [3, 4, 4], parameters: 220) {
            Conv2D(4, kernelSize: 3, dilationRate: 3)
        },
        Case("convolution in groups", [image], [7, 8, 6], parameters: 114) { Conv2D(6, kernelSize: 3, groups: 3) },
        Case("depthwise convolution", [image], [7, 8, 12], parameters: 120) {
            DepthwiseConv2D(kernelSize: 3, depthMultiplier: 2)
        },
        Case("max pooling", [image], [4, 5, 6]) { MaxPooling2D() },
        Case("max pooling, same", [image], [5, 5, 6]) { MaxPooling2D(padding: .same) },
        Case("average pooling with strides", [image], [4, 4, 6]) { AveragePooling2D(poolSize: 3, strides: 2) },
        Case("average pooling, same", [image], [9, 10, 6]) {
            AveragePooling2D(poolSize: 3, strides: 1, padding: .same)
        },
        Case("global average", [image], [6]) { GlobalAveragePooling2D() },
        Case("global average, kept", [image], [1, 1, 6]) { GlobalAveragePooling2D(keepDims: true) },
        Case("global maximum", [image], [6]) { GlobalMaxPooling2D() },
        Case("zero padding", [image], [12, 14, 6]) {
            ZeroPadding2D(padding: EdgePadding(top: 1, bottom: 2, left: 0, right: 4))
        },
        Case("zero padding by default", [image], [11, 12, 6]) { ZeroPadding2D() },
    ]

    static let others = [
        Case("dense", [[5]], [3], parameters: 18) { Dense(3) },
        Case("dense over the last axis", [image], [9, 10, 3], parameters: 18) { Dense(3, useBias: false) },
        Case("batch normalization", [image], image, parameters: 24) { BatchNormalization() },
        Case("batch normalization without scale", [image], image, parameters: 18) { BatchNormalization(scale: false) },
        Case("batch normalization, axis 3", [image], image, parameters: 24) { BatchNormalization(axis: 3) },
        Case("activation", [image], image) { Activation(.elu) },
        Case("flatten", [image], [540]) { Flatten() },
        Case("reshape", [image], [10, 54]) { Reshape([10, -1]) },
        Case("dropout", [image], image) { Dropout(0.5) },
        Case("concatenate", [image, [9, 10, 2]], [9, 10, 8]) { Concatenate() },
        Case("concatenate, axis 1", [image, [2, 10, 6]], [11, 10, 6]) { Concatenate(axis: 1) },
        Case("add", [image, image, image], image) { Add() },
        Case("multiply, broadcast", [image, [1, 1, 6]], image) { Multiply() },
        Case("rescaling", [image], image) { Rescaling(2) },
        Case("normalization", [image], image, parameters: 13) { Normalization() },
        Case("normalization with given statistics", [image], image) { Normalization(mean: 1, variance: 2) },
    ]

    @Test(arguments: windows + others) func shapeAndCountAreThoseDocumented(_ test: Case) throws {
        let layer = test.make()
        let output = try layer(test.inputs.map { Input(shape: $0) })
        #expect(output.shape == test.output)
        #expect(layer.countParameters() == test.parameters)
        #expect(layer.isBuilt)
        #expect(layer.variables.map(\.path) == layer.variables.map { "\(layer.name)/\($0.name)" })
    }

    @Test(arguments: windows + others) func loweredShapeIsTheSymbolicOneWithTheBatch(_ test: Case) throws {
        let inputs = test.inputs.map { Input(shape: $0) }
        let model = try Model(inputs: inputs, outputs: test.make()(inputs))
        for training in [false, true] {
            let lowered = try model.lower(batchSize: 3, training: training)
            #expect(lowered.outputs.map(lowered.graph.shape(of:)) == [Shape([3] + test.output.dimensions)])
        }
    }
}
