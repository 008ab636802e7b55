import Graft
import Testing

@Suite struct HeadTests {
    @Test(
        arguments: [
            ("flatten", [.flatten]),
            (
                "flatten,dense:1024:relu,dropout:0.2",
                [.flatten, .dense(1024, activation: .relu), .dropout(0.2)]
            ),
            ("average-pool, batch-normalization", [.averagePool, .batchNormalization]),
            ("max-pool,dense:7", [.maxPool, .dense(7, activation: .linear)]),
            ("dropout:0", [.dropout(0)]),
            ("standardize", [.standardize]), ("centered", [.centered]),
        ] as [(String, [Head.Part])])
    func partsAreRead(text: String, parts: [Head.Part]) throws {
        let head = try Head(text)
        #expect(head.parts == parts)
        #expect(try Head(head.description) == head)
    }

    @Test(arguments: [
        ("", "'' is not a layer: the forms are \(Head.forms)"),
        ("flaten", "'flaten' is not a layer: the forms are \(Head.forms)"),
        ("flatten,", "'' is not a layer: the forms are \(Head.forms)"),
        ("flatten:2", "'flatten:2' is not a layer: the forms are \(Head.forms)"),
        ("dense", "'dense' is not a layer: the forms are \(Head.forms)"),
        ("dense:0", "'dense:0' is not a layer: the units must be a whole number from 1 to 1048576"),
        ("dense:many", "'dense:many' is not a layer: the units must be a whole number from 1 to 1048576"),
        ("dropout:1", "'dropout:1' is not a layer: the rate must be at least 0 and less than 1"),
        ("dropout:nan", "'dropout:nan' is not a layer: the rate must be at least 0 and less than 1"),
    ])
    func whatIsNoLayerIsRefused(text: String, message: String) {
        let error = #expect(throws: GraftError.self) { try Head(text) }
        #expect(error?.message == "head: \(message)")
    }

    @Test func anUnknownActivationIsRefusedWithThoseThereAre() {
        let error = #expect(throws: GraftError.self) { try Head("dense:4:rely") }
        #expect(
            error?.message.hasPrefix("head: 'dense:4:rely' is not a layer: the activation must be one of ") == true)
        #expect(error?.message.contains("relu") == true)
    }

    @Test func layersStandInTheOrderOfTheParts() throws {
        let features = Input(shape: [2, 2, 3])
        let head = try Head("flatten,dense:5:relu,batch-normalization,dropout:0.5")(features)
        let model = try Model(inputs: features, outputs: head)
        let names = model.layers.map { type(of: $0).className }
        #expect(names == ["InputLayer", "Flatten", "Dense", "BatchNormalization", "Dropout"])
        #expect(head.shape == [5])
    }

    @Test func aHeadThatLeavesPlacesIsRefused() {
        let error = #expect(throws: GraftError.self) {
            try Head("dense:10")(Input(shape: [3, 3, 8]))
        }
        #expect(
            error?.message
                == "head: what reaches the output layer has the shape (3, 3, 10), and it takes a vector; begin the "
                + "head with flatten, average-pool or max-pool")
    }

    @Test func aLayerBeyondAnyMemoryIsRefused() {
        let error = #expect(throws: GraftError.self) {
            try Head("flatten,dense:1000000")(Input(shape: [7, 7, 768]))
        }
        #expect(error?.message.hasPrefix("head: dense:1000000 on 37,632 numbers has more than") == true)
    }

    @Test func featuresOfSeveralLayersCountAlike() throws {
        let features = Input(shape: [10])
        let head = try Head("standardize")(features, groups: [2, 8])
        let model = try Model(inputs: features, outputs: head)
        #expect(model.layers.map(\.name).contains("standardize"))
        let balance = try #require(model.layers.last as? Rescaling)
        // Half of ten numbers' squared length for each layer: 2 · 2.5 and 8 · 0.625.
        let (two, eight) = (2.5.squareRoot(), 0.625.squareRoot())
        #expect(balance.scale == .channels([two, two] + [Double](repeating: eight, count: 8)))
    }

    @Test func featuresOfOneLayerAreOnlyStandardized() throws {
        let features = Input(shape: [10])
        let model = try Model(inputs: features, outputs: Head("standardize")(features))
        #expect(model.layers.count == 2)
    }
}
