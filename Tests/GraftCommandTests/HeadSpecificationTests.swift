import Graft
import Testing

@testable import GraftCommand

@Suite struct HeadSpecificationTests {
    @Test(
        arguments: [
            ("flatten", [.flatten]),
            (
                "flatten,dense:1024:relu,dropout:0.2",
                [.flatten, .dense(units: 1024, activation: .relu), .dropout(rate: 0.2)]
            ),
            ("average-pool, batch-normalization", [.averagePool, .batchNormalization]),
            ("max-pool,dense:7", [.maxPool, .dense(units: 7, activation: .linear)]),
            ("dropout:0", [.dropout(rate: 0)]),
            ("standardize", [.standardize]),
        ] as [(String, [HeadSpecification.Token])])
    func tokensAreRead(text: String, tokens: [HeadSpecification.Token]) throws {
        #expect(try HeadSpecification(text).tokens == tokens)
    }

    @Test(arguments: [
        ("", "'' is not a layer: the forms are \(HeadSpecification.forms)"),
        ("flaten", "'flaten' is not a layer: the forms are \(HeadSpecification.forms)"),
        ("flatten,", "'' is not a layer: the forms are \(HeadSpecification.forms)"),
        ("flatten:2", "'flatten:2' is not a layer: the forms are \(HeadSpecification.forms)"),
        ("dense", "'dense' is not a layer: the forms are \(HeadSpecification.forms)"),
        ("dense:0", "'dense:0' is not a layer: the units must be a whole number from 1 to 1048576"),
        ("dense:many", "'dense:many' is not a layer: the units must be a whole number from 1 to 1048576"),
        ("dropout:1", "'dropout:1' is not a layer: the rate must be at least 0 and less than 1"),
        ("dropout:nan", "'dropout:nan' is not a layer: the rate must be at least 0 and less than 1"),
    ])
    func whatIsNoLayerIsRefused(text: String, message: String) {
        let error = #expect(throws: GraftError.self) { try HeadSpecification(text) }
        #expect(error?.message == "--head: \(message)")
    }

    @Test func anUnknownActivationIsRefusedWithThoseThereAre() {
        let error = #expect(throws: GraftError.self) { try HeadSpecification("dense:4:rely") }
        #expect(
            error?.message.hasPrefix("--head: 'dense:4:rely' is not a layer: the activation must be one of ") == true)
        #expect(error?.message.contains("relu") == true)
    }

    @Test func layersStandInTheOrderOfTheTokens() throws {
        let features = Input(shape: [2, 2, 3])
        let head = try HeadSpecification("flatten,dense:5:relu,batch-normalization,dropout:0.5").apply(to: features)
        let model = try Model(inputs: features, outputs: head)
        let names = model.layers.map { type(of: $0).className }
        #expect(names == ["InputLayer", "Flatten", "Dense", "BatchNormalization", "Dropout"])
        #expect(head.shape == [5])
    }

    @Test func aHeadThatLeavesPlacesIsRefused() {
        let error = #expect(throws: GraftError.self) {
            try HeadSpecification("dense:10").apply(to: Input(shape: [3, 3, 8]))
        }
        #expect(
            error?.message
                == "--head: what reaches the output layer has the shape (3, 3, 10), and it takes a vector; begin the "
                + "head with flatten, average-pool or max-pool")
    }

    @Test func aLayerBeyondAnyMemoryIsRefused() {
        let error = #expect(throws: GraftError.self) {
            try HeadSpecification("flatten,dense:1000000").apply(to: Input(shape: [7, 7, 768]))
        }
        #expect(error?.message.hasPrefix("--head: dense:1000000 on 37,632 numbers has more than") == true)
    }
}
