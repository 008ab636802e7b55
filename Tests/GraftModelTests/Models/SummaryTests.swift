import GraftModel
import Testing

@Suite struct SummaryTests {
    private func chain() throws -> Model {
        let model = try Sequential(
            [Conv2D(8, kernelSize: 3), Flatten(), Dense(1000), Dropout(0.5), Dense(1, activation: .sigmoid)],
            inputShape: [12, 12, 3], name: "chain")
        model.layers[0].trainable = false
        return model
    }

    @Test func chainIsPrintedLikeKeras() throws {
        let text = try chain().summary(width: 80)
        #expect(
            text == """
                Model: "chain"
                ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
                ┃ Layer (type)                ┃ Output Shape        ┃      Param # ┃ Trainable ┃
                ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
                │ conv2d (Conv2D)             │ (None, 10, 10, 8)   │          224 │     N     │
                ├─────────────────────────────┼─────────────────────┼──────────────┼───────────┤
                │ flatten (Flatten)           │ (None, 800)         │            0 │     -     │
                ├─────────────────────────────┼─────────────────────┼──────────────┼───────────┤
                │ dense (Dense)               │ (None, 1000)        │      801,000 │     Y     │
                ├─────────────────────────────┼─────────────────────┼──────────────┼───────────┤
                │ dropout (Dropout)           │ (None, 1000)        │            0 │     -     │
                ├─────────────────────────────┼─────────────────────┼──────────────┼───────────┤
                │ dense_1 (Dense)             │ (None, 1)           │        1,001 │     Y     │
                └─────────────────────────────┴─────────────────────┴──────────────┴───────────┘
                 Total params: 802,225 (3.06 MB)
                 Trainable params: 802,001 (3.06 MB)
                 Non-trainable params: 224 (896.00 B)

                """)
    }

    @Test func graphIsPrintedWithItsConnections() throws {
        let x = Input(shape: [4])
        let dense = Dense(4, useBias: false)
        let y = try dense(x)
        let model = try Model(inputs: x, outputs: Add(name: "sum")([y, dense(y), x]), name: "graph")
        let text = model.summary(width: 84)
        #expect(
            text == """
                Model: "graph"
                ┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
                ┃ Layer (type)        ┃ Output Shape   ┃      Param # ┃ Connected to   ┃ Trainable ┃
                ┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
                │ input_layer         │ (None, 4)      │            0 │ -              │     -     │
                │ (InputLayer)        │                │              │                │           │
                ├─────────────────────┼────────────────┼──────────────┼────────────────┼───────────┤
                │ dense (Dense)       │ (None, 4)      │           16 │ input_layer[0] │     Y     │
                │                     │                │              │ [0],           │           │
                │                     │                │              │ dense[0][0]    │           │
                ├─────────────────────┼────────────────┼──────────────┼────────────────┼───────────┤
                │ sum (Add)           │ (None, 4)      │            0 │ dense[0][0],   │     -     │
                │                     │                │              │ dense[1][0],   │           │
                │                     │                │              │ input_layer[0] │           │
                │                     │                │              │ [0]            │           │
                └─────────────────────┴────────────────┴──────────────┴────────────────┴───────────┘
                 Total params: 16 (64.00 B)
                 Trainable params: 16 (64.00 B)
                 Non-trainable params: 0 (0.00 B)

                """)
    }

    @Test func rowsHoldWhatTheTableShows() throws {
        let summary = ModelSummary(of: try chain())
        #expect(summary.rows.map(\.name) == ["conv2d", "flatten", "dense", "dropout", "dense_1"])
        #expect(summary.rows.map(\.type) == ["Conv2D", "Flatten", "Dense", "Dropout", "Dense"])
        #expect(summary.rows.map(\.outputShape).first == "(None, 10, 10, 8)")
        #expect(summary.rows.map(\.parameters) == [224, 0, 801_000, 0, 1001])
        #expect(summary.rows.map(\.trainable) == [false, nil, true, nil, true])
        #expect(summary.totalParameters == 802_225)
        #expect(summary.trainableParameters == 802_001)
        #expect(summary.nonTrainableParameters == 224)
    }

    @Test func modelsInsideAreExpandedWhenAsked() throws {
        let model = try ModelsLikeKeras.nested()
        let flat = ModelSummary(of: model)
        #expect(flat.rows.map(\.level).allSatisfy { $0 == 0 })
        #expect(flat.rows.first { $0.name == "functional" }?.outputShape == "[(None, 2), (None, 4)]")
        let expanded = ModelSummary(of: model, expandNested: true)
        #expect(expanded.rows.filter { $0.level == 1 }.count == 3 + 3 + 3)
        #expect(expanded.totalParameters == flat.totalParameters)
        #expect(model.summary(expandNested: true).contains("   └ conv2d (Conv2D)"))
    }

    @Test func everyLineHasTheSameWidth() throws {
        let models = try [chain(), ModelsLikeKeras.nested(), ModelsLikeKeras.everyLayer()]
        for (model, width) in zip(models, [10, 61, 500]) {
            let lines = model.summary(width: width, expandNested: true).split(separator: "\n").dropFirst().dropLast(3)
            #expect(Set(lines.map(\.count)).count == 1)
            #expect(lines.first.map(\.count) ?? 0 <= max(width, 50))
            let plain = model.summary(width: width, style: .plain)
            #expect(!plain.contains("┃") && !plain.contains("│"))
        }
    }

    @Test func unbuiltStackSaysSo() throws {
        let text = try Sequential([Dense(3)]).summary()
        #expect(text.contains("0 (unbuilt)") && text.contains("?"))
    }

    @Test func numbersAreGroupedAndSizesReadable() {
        #expect(
            [0, 999, 1000, 21_802_784, -1234567].map(\.grouped) == ["0", "999", "1,000", "21,802,784", "-1,234,567"])
        #expect(
            [0, 1023, 1024, 87_211_136, 1 << 40].map(\.memorySize)
                == ["0.00 B", "1023.00 B", "1.00 KB", "83.17 MB", "1.00 TB"])
    }
}
