import GraftModel
import Testing

/// What layers refuse, and how they say it.
@Suite struct LayerErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let layer: @Sendable () -> Layer
        let inputs: [Shape]
        let message: String
        var testDescription: String { message }

        init(_ message: String, _ inputs: [Shape], _ layer: @escaping @Sendable () -> Layer) {
            (self.layer, self.inputs, self.message) = (layer, inputs, message)
        }
    }

    static let cases = [
        Case("layer conv2d (Conv2D): Conv2D: filters must be from 1 to 16777216, is 0", [[4, 4, 3]]) {
            Conv2D(0, kernelSize: 3)
        },
        Case("layer c (Conv2D): Conv2D: kernel_size must be from 1 to 16777216, is (0, 3)", [[4, 4, 3]]) {
            Conv2D(1, kernelSize: Size2D(0, 3), name: "c")
        },
        Case("layer conv2d (Conv2D): Conv2D: 3 filters cannot be divided into 2 groups", [[4, 4, 4]]) {
            Conv2D(3, kernelSize: 3, groups: 2)
        },
        Case("layer conv2d (Conv2D): Conv2D: 3 input channels cannot be divided into 2 groups", [[4, 4, 3]]) {
            Conv2D(4, kernelSize: 3, groups: 2)
        },
        Case(
            "layer conv2d (Conv2D): Conv2D needs an input of height, width and channels; it was given (None, 4)", [[4]]
        ) { Conv2D(4, kernelSize: 3) },
        Case("layer dense (Dense): Dense takes one input; it was given 2", [[4], [4]]) { Dense(1) },
        Case("layer dense (Dense): Dense: units must be from 1 to 16777216, is -1", [[4]]) { Dense(-1) },
        Case("layer dropout (Dropout): Dropout: the rate must be from 0 to 1, is 1.5", [[4]]) { Dropout(1.5) },
        Case("layer add (Add): Add: the shapes (None, 4), (None, 3) do not fit one another", [[4], [3]]) { Add() },
        Case(
            "layer reshape (Reshape): Reshape: the 4 elements of (None, 4) do not fill the sizes [3, -1]", [[4]]
        ) { Reshape([3, -1]) },
        Case(
            "layer reshape (Reshape): Reshape: the sizes [-1, -1] must be positive, but for one that may be -1", [[4]]
        ) { Reshape([-1, -1]) },
        Case(
            "layer rescaling (Rescaling): Rescaling has 2 numbers; the input (None, 3) has 3 channels", [[3]]
        ) { Rescaling(scale: [1, 2]) },
        Case(
            "layer normalization (Normalization): Normalization needs both the mean and the variance, or none of them",
            [[3]]
        ) { Normalization(mean: 1) },
        Case(
            "layer concatenate (Concatenate): Concatenate: 0 is no axis of an input with 2 axes, the batch axis "
                + "counted; that one cannot be joined", [[3], [3]]
        ) { Concatenate(axis: 0) },
        Case(
            "layer layer_normalization (LayerNormalization): LayerNormalization: [0] are not distinct axes of (None, 4, 3) "
                + "other than the batch axis", [[4, 3]]
        ) { LayerNormalization(axes: [0]) },
        Case(
            "layer cropping2d (Cropping2D): Cropping2D: nothing is left of (None, 4, 4, 3) without 3 rows above, 1 below, 0 "
                + "columns left and 0 right", [[4, 4, 3]]
        ) { Cropping2D(cropping: EdgePadding(top: 3, bottom: 1, left: 0, right: 0)) },
        Case(
            "layer cropping2d (Cropping2D): Cropping2D: the cropping must be from 0 to 16777216, is [-1, 0, 0, 0]",
            [[4, 4, 3]]
        ) { Cropping2D(cropping: EdgePadding(top: -1, bottom: 0, left: 0, right: 0)) },
        Case(
            "layer layer_scale (LayerScale): LayerScale has 4 factors; it was given (None, 2, 3)", [[2, 3]]
        ) { LayerScale(1, projectionDim: 4) },
        Case(
            "layer stochastic_depth (StochasticDepth): StochasticDepth: the rate must be from 0 to 1, is 2.0", [[4]]
        ) { StochasticDepth(2) },
        Case(
            "layer custom_scale_layer (CustomScaleLayer): CustomScaleLayer takes two inputs of shapes that fit one another; "
                + "received (None, 4), (None, 3)", [[4], [3]]
        ) { CustomScaleLayer(0.1) },
        Case(
            "layer separable_conv2d (SeparableConv2D): SeparableConv2D needs an input of height, width and channels; it was "
                + "given (None, 4)", [[4]]
        ) { SeparableConv2D(2, kernelSize: 3) },
        Case(
            "layer flatten (Flatten): an output of the shape (None, 1099511627776) is larger than any machine",
            [[1 << 20, 1 << 20]]
        ) { Flatten() },
    ]

    @Test(arguments: cases) func messageSaysWhatIsWrong(_ test: Case) throws {
        let error = #expect(throws: GraftError.self) { try test.layer()(test.inputs.map { Input(shape: $0) }) }
        #expect(error?.description == test.message)
    }

    @Test func builtLayerRefusesOtherChannels() throws {
        let layers: [Layer] = [
            Conv2D(1, kernelSize: 1), DepthwiseConv2D(kernelSize: 1), Dense(1), BatchNormalization(), Normalization(),
        ]
        for layer in layers {
            _ = try layer(Input(shape: [2, 2, 3]))
            #expect(throws: GraftError.self) { try layer(Input(shape: [2, 2, 4])) }
        }
    }

    @Test func kernelLargerThanItsInputIsRefused() throws {
        for layer in [Conv2D(4, kernelSize: 5), MaxPooling2D(poolSize: 5), AveragePooling2D(poolSize: 5)] {
            let error = #expect(throws: GraftError.self) { try layer(Input(shape: [4, 4, 3])) }
            #expect(error?.code == .shape)
        }
        #expect(throws: Never.self) { try Conv2D(4, kernelSize: 5, padding: .same)(Input(shape: [4, 4, 3])) }
    }

    @Test func absurdSizesAreErrors() throws {
        let huge = Size2D.limitForTests
        let x = Input(shape: [huge, huge, 1])
        #expect(throws: GraftError.self) { try ZeroPadding2D(padding: Size2D(huge))(x) }
        #expect(throws: GraftError.self) { try Dense(huge)(Input(shape: [huge])) }
        #expect(throws: GraftError.self) { try Conv2D(huge, kernelSize: Size2D(huge), padding: .same)(x) }
        #expect(throws: GraftError.self) {
            try DepthwiseConv2D(kernelSize: 1, depthMultiplier: huge)(Input(shape: [1, 1, huge]))
        }
    }
}

extension Size2D {
    /// The largest window that layers take.
    static let limitForTests = 1 << 24
}
