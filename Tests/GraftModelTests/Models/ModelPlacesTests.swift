import GraftTestSupport
import Testing

@testable import GraftModel

/// Layers by their paths, in models inside too, and where a whole model is cut.
@Suite struct ModelPlacesTests {
    /// A network as Teachable Machine makes it: two models in a row, the first with another one inside.
    private static func nested() throws -> Model {
        let image = Input(shape: [6, 6, 3])
        let convolution = try Conv2D(4, kernelSize: 3, name: "first")(image)
        let inner = try Model(
            inputs: image, outputs: ReLU(name: "last")(Conv2D(5, kernelSize: 1, name: "second")(convolution)),
            name: "base")
        let features = try Sequential([inner, GlobalAveragePooling2D(name: "pool")], name: "features")
        let head = try Sequential(
            [
                Dense(7, activation: .relu, name: "hidden"), Dropout(0.5),
                Dense(2, activation: .softmax, name: "classes"),
            ],
            name: "head")
        let top = Input(shape: [6, 6, 3])
        return try Model(inputs: top, outputs: head(features(top)))
    }

    private static func numbers(_ model: Model, _ image: Tensor) throws -> [[Double]] {
        try interpret(model, [image]).outputs.map(\.values)
    }

    @Test func aPathLeadsIntoModelsInside() throws {
        let model = try Self.nested()
        for name in ["features/base/first", "first"] {
            let tensor = try model.output(ofLayer: name)
            #expect(tensor.shape == [4, 4, 4])
            let part = try Model(inputs: model.input, outputs: tensor)
            // The same layers, not copies of them.
            let first = try #require(model.layer(named: "features/base/first") as? Conv2D)
            #expect(part.variables == first.variables)
            #expect(try part.output(ofLayer: "first").shape == [4, 4, 4])
        }
        // Where a model inside ends at the layer, its call says as much.
        #expect(try model.output(ofLayer: "features/pool").layer.name == "features")
    }

    @Test func whatIsCutInsideGivesTheSameNumbers() throws {
        let model = try Self.nested()
        let part = try Model(inputs: model.input, outputs: model.output(ofLayer: "second"))
        let base = try #require(model.layer(named: "features/base") as? Model)
        let direct = try Model(inputs: base.input, outputs: base.layer(named: "second").output)
        let image = Tensor((0..<108).map { Float($0 % 17) / 17 }, shape: [1, 6, 6, 3])
        #expect(try Self.numbers(part, image) == Self.numbers(direct, image))
    }

    @Test func aWrongNameNamesTheNearestPaths() throws {
        let model = try Self.nested()
        let error = #expect(throws: GraftError.self) { try model.output(ofLayer: "frist") }
        #expect(error?.message.contains("has no layer called frist; nearest: features/base/first") == true)
    }

    @Test func namesOfOthersAreMadeNamesOfLayers() throws {
        #expect(Model.layerName(for: "/features/12/Relu_output_0") == "features_12_Relu_output_0")
        #expect(Model.layerName(for: "a:0") == "a_0" && Model.layerName(for: "//") == "layer")
        let image = Input(shape: [4])
        let model = try Model(inputs: image, outputs: Dense(2, name: "features_12_Relu_output_0")(image))
        #expect(try model.output(ofLayer: "/features/12/Relu_output_0").shape == [2])
    }

    @Test func aSharedLayerIsRefusedWithWhatReadsIt() throws {
        let image = Input(shape: [4])
        let shared = Dense(4, name: "shared")
        let sum = try Add(name: "sum")([Activation(.relu, name: "left")(shared(image)), shared(shared(image))])
        let error = #expect(throws: GraftError.self) {
            try Model(inputs: image, outputs: sum).output(ofLayer: "shared")
        }
        #expect(error?.message.contains("it is called 3 times") == true)
        #expect(error?.message.contains("left") == true)
    }

    // MARK: Before the classifier

    /// A case: what stands on a convolution called `last`, and where the model is cut.
    struct Ending: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let layers: @Sendable () -> [Layer]
        let cut: String?
    }

    static let endings = [
        Ending(testDescription: "flatten", layers: { [Flatten(), Dense(3, activation: .softmax)] }, cut: "last"),
        Ending(
            testDescription: "pooling and dropout",
            layers: { [GlobalAveragePooling2D(name: "pool"), Dropout(0.2), Dense(3), Softmax()] }, cut: "pool"),
        Ending(
            testDescription: "two dense layers",
            layers: {
                [Flatten(), Dense(8, activation: .relu, name: "hidden"), Dropout(0.2), Dense(3), Activation(.softmax)]
            }, cut: "hidden"),
        Ending(
            testDescription: "a convolution of one place, as MobileNet has it",
            layers: {
                [
                    GlobalAveragePooling2D(name: "pool"), Reshape([1, 1, 5]), Dropout(0.1), Conv2D(3, kernelSize: 1),
                    Reshape([3]), Activation(.softmax),
                ]
            }, cut: "pool"),
        Ending(
            testDescription: "pooled scores, as SqueezeNet has them",
            layers: {
                [Dropout(0.5), Conv2D(3, kernelSize: 1), ReLU(), GlobalAveragePooling2D(), Activation(.softmax)]
            }, cut: "last"),
        Ending(
            testDescription: "a head on a common scale",
            layers: { [GlobalAveragePooling2D(name: "pool"), Normalization(name: "standardize"), Dense(3)] },
            cut: "pool"),
        Ending(
            testDescription: "features", layers: { [GlobalAveragePooling2D(name: "pool")] }, cut: "pool"),
        Ending(testDescription: "maps", layers: { [] }, cut: "last"),
    ]

    @Test(arguments: endings) func aModelIsCutBeforeItsClassifier(_ ending: Ending) throws {
        let layers = [Conv2D(5, kernelSize: 1, name: "last")] + ending.layers()
        #expect(try Sequential(layers, inputShape: [4, 4, 3]).layerBeforeClassifier == ending.cut)
        // The same inside another model.
        let inner = try Sequential(
            [Conv2D(5, kernelSize: 1, name: "last")] + ending.layers(), inputShape: [4, 4, 3], name: "inner")
        let image = Input(shape: [4, 4, 3])
        #expect(
            try Model(inputs: image, outputs: inner(image)).layerBeforeClassifier == ending.cut.map { "inner/" + $0 })
    }

    @Test func theCutMayLieInTheModelBefore() throws {
        #expect(try Self.nested().layerBeforeClassifier == "head/hidden")
        let image = Input(shape: [6, 6, 3])
        let base = try Sequential([Conv2D(4, kernelSize: 3, name: "last")], inputShape: [6, 6, 3], name: "base")
        let head = try Sequential([Flatten(), Dense(2)], inputShape: [4, 4, 4], name: "head")
        #expect(try Model(inputs: image, outputs: head(base(image))).layerBeforeClassifier == "base/last")
        #expect(try Sequential([Flatten(), Dense(2)], inputShape: [4, 4, 3]).layerBeforeClassifier == nil)
    }

    @Test func preprocessingIsSeen() throws {
        #expect(try !Self.nested().hasPreprocessing)
        let scaled = try Sequential([Rescaling(1 / 255), Flatten(), Dense(2)], inputShape: [4, 4, 3])
        #expect(scaled.hasPreprocessing)
        let image = Input(shape: [4, 4, 3])
        #expect(try Model(inputs: image, outputs: scaled(image)).hasPreprocessing)
    }

    @Test func somethingCanGoBeforeTheInput() throws {
        let model = try Self.nested()
        let scaled = try model.preceded { (image) throws(GraftError) in try Rescaling(0.5)(image) }
        #expect(scaled.variables == model.variables && scaled.hasPreprocessing && !model.hasPreprocessing)
        let image = Tensor((0..<108).map { Float($0 % 17) / 17 }, shape: [1, 6, 6, 3])
        let half = Tensor(image.scalars.map { $0 / 2 }, shape: image.shape)
        #expect(try Self.numbers(scaled, image) == Self.numbers(model, half))
    }

    @Test func aCopyHasVariablesOfItsOwn() throws {
        let model = try Self.nested()
        let copy = try model.copy()
        #expect(copy.variables.map(\.shape) == model.variables.map(\.shape))
        #expect(Set(copy.variables).isDisjoint(with: model.variables))
    }
}
