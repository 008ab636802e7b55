import GraftModel
import Testing

@Suite struct NamingTests {
    @Test func classNamesBecomeKerasSnakeCase() {
        let pairs = [
            ("Conv2D", "conv2d"), ("BatchNormalization", "batch_normalization"), ("MaxPooling2D", "max_pooling2d"),
            ("InputLayer", "input_layer"), ("DepthwiseConv2D", "depthwise_conv2d"), ("ReLU", "re_lu"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"), ("ZeroPadding2D", "zero_padding2d"), ("Add", "add"),
        ]
        for (name, expected) in pairs { #expect(name.snakeCased == expected) }
    }

    @Test func namesFollowCreationAndDoNotDependOnOtherModels() throws {
        for _ in 0..<2 {
            let x = Input(shape: [4])
            let (first, second, third) = (Dense(4), Dense(4), Dense(4))
            let model = try Model(inputs: x, outputs: first(third(second(x))))
            #expect([first, second, third].map(\.name) == ["dense", "dense_1", "dense_2"])
            #expect(model.layers.map(\.name) == ["input_layer", "dense_1", "dense_2", "dense"])
            #expect(first.variables.map(\.path) == ["dense/kernel", "dense/bias"])
        }
    }

    @Test func newLayersGoOnAfterTheLargestNumber() throws {
        let x = Input(shape: [4])
        let base = try Model(inputs: x, outputs: Dense(4)(Dense(4, name: "dense_7")(Dense(4)(x))))
        #expect(base.layers.map(\.name) == ["input_layer", "dense_9", "dense_7", "dense_8"])
        let extended = try Model(inputs: base.input, outputs: Dense(1)(base.output))
        #expect(extended.layers.last?.name == "dense_10")
        #expect(base.layers.map(\.name) == ["input_layer", "dense_9", "dense_7", "dense_8"])
    }

    @Test func explicitNamesMustDiffer() throws {
        let x = Input(shape: [4])
        let error = #expect(throws: GraftError.self) {
            try Model(inputs: x, outputs: Dense(4, name: "a")(Dense(4, name: "a")(x)), name: "m")
        }
        #expect(error?.description == "two layers of the model m are called a; give one another name")
        #expect(throws: GraftError.self) { try Sequential([Dense(4, name: "a"), Flatten(name: "a")]) }
    }

    @Test func automaticNamesGiveWay() throws {
        func tower() throws -> Model {
            let x = Input(shape: [4])
            return try Model(inputs: x, outputs: Dense(4)(x))
        }
        let (left, right) = try (tower(), tower())
        let both = try Model(
            inputs: [left.input, right.input], outputs: Add()([left.output, right.output]))
        #expect(both.layers.map(\.name) == ["input_layer", "input_layer_1", "dense", "dense_1", "add"])
    }

    @Test func modelsAreNamedLikeLayers() throws {
        let inner = try (Sequential([Dense(1)]), Sequential([Dense(1)]))
        let outer = try Sequential([inner.0, inner.1], inputShape: [4])
        #expect(outer.layers.map(\.name) == ["sequential", "sequential_1"])
        #expect(outer.name == "sequential")
    }

    @Test func wrongNameIsAnsweredWithTheNearest() throws {
        let x = Input(shape: [4])
        let y = try Dense(4, name: "mixed8")(Dense(4, name: "mixed7")(Dense(4, name: "block")(x)))
        let model = try Model(inputs: x, outputs: y, name: "base")
        #expect(try model.layer(named: "mixed7").name == "mixed7")
        let error = #expect(throws: GraftError.self) { try model.layer(named: "mixd7") }
        #expect(
            error?.description == "the model base has no layer called mixd7; nearest: mixed7, mixed8, block")
        let outer = try Sequential([model])
        #expect(try outer.layer(named: "base/mixed7") === model.layer(named: "mixed7"))
    }

    @Test func hostileNumbersInNamesDoNotTrap() throws {
        let x = Input(shape: [4])
        let y = try Dense(4)(
            Dense(4, name: "dense_9223372036854775807")(Dense(4, name: "dense_9223372036854775806")(x)))
        let model = try Model(inputs: x, outputs: y)
        #expect(model.layers.last?.name == "dense")
    }
}
