import GraftCPU
import GraftFormats
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// The seam for other kinds of input than images: a data set of token ids goes through `fit` whole.
@Suite struct TokenFitTests {
    private let root = TemporaryFolder()

    @Test(arguments: [ElementType.int32, .float32])
    func aDataSetOfTokenIDsTrainsAnEmbedding(dtype: ElementType) throws {
        let (data, model) = (try Texts(count: 96, seed: 1, dtype: dtype), try self.model(dtype: dtype))
        let table = try #require(model.variables.first { $0.name == "embeddings" })
        let before = table.value
        let history = try model.fit(
            data, batchSize: 16, epochs: 12, validation: Texts(count: 64, seed: 2),
            options: TrainingOptions(features: .folder(root.path), threads: 2))
        let losses = history["loss"]
        #expect(losses.count == 12 && (losses.last ?? 1) < 0.1 * losses[0], "\(losses)")
        // Two kinds of texts that share a fifth of their words.
        #expect((history["val_accuracy"].last ?? 0) > 0.95)
        // No text has the last id, so that its row does not move; all others do.
        let (rows, last) = (Texts.wordCount, Texts.wordCount - 1)
        let moved = (0..<rows).filter { table.value.elements(ofRow: $0) != before.elements(ofRow: $0) }
        #expect(moved == (0..<last).map { $0 })
        let predictions = try model.predict(Texts(count: 64, seed: 3))
        #expect(predictions.indices.count == 64)
    }

    /// Ids are the same numbers, however the input and the examples have them.
    @Test func theTypeOfIDsChangesNoBit() throws {
        func train(_ input: ElementType, _ data: ElementType, _ cache: FeatureCache = .off) throws -> [Tensor] {
            let model = try cache.location == .none ? self.model(dtype: input) : modelWithTrunk(dtype: input)
            try model.fit(
                Texts(count: 40, seed: 1, dtype: data), batchSize: 16, epochs: 2,
                options: TrainingOptions(features: cache, threads: 1))
            return model.weights
        }
        let floats = try train(.float32, .float32)
        #expect(try train(.int32, .int32) == floats)
        #expect(try train(.int32, .float32) == floats)
        #expect(try train(.float32, .int32) == floats)
        let kept = try train(.float32, .float32, .folder(root.path + "/floats"))
        #expect(try train(.int32, .int32, .folder(root.path + "/integers")) == kept)
    }

    /// Keras raises an error for an id that is too large, and takes −1 for the last row.
    @Test(arguments: [ElementType.int32, .float32], [-1, 42, 4200])
    func anIDWithoutARowIsNamed(dtype: ElementType, id: Int) throws {
        let data = try Texts(count: 40, seed: 1, dtype: dtype, wrongID: id)
        let good = try Texts(count: 40, seed: 1, dtype: dtype)
        let message =
            "example 21 (text 21) has the id \(dtype == .int32 ? "\(id)" : "\(Float(id))") in the input ids, and the layer "
            + "embedding has rows for 0 to 41 alone; give it a larger inputDim, or look at the vocabulary that gave the ids"
        for cache in [FeatureCache.off, .folder(root.path)] {
            let model = try cache.location == .none ? self.model(dtype: dtype) : modelWithTrunk(dtype: dtype)
            let options = TrainingOptions(features: cache, threads: 1)
            func expect(_ body: () throws -> Void) {
                let error = #expect(throws: GraftError.self) { try body() }
                #expect(error?.code == .data && error?.message == message, "\(error?.message ?? "")")
            }
            expect { try model.fit(data, batchSize: 16, options: options) }
            expect { try model.fit(good, batchSize: 16, validation: data, options: options) }
            expect { _ = try model.evaluate(data, options: options) }
            expect { _ = try model.predict(data, options: options) }
        }
    }

    @Test func aRunOnIntegersGoesOnWhereItStopped() throws {
        let data = try Texts(count: 48, seed: 1, dtype: .int32)
        let checkpoint = Checkpointing(root.path + "/run.checkpoint", every: .never)
        func train(_ checkpoint: Checkpointing?, stopAfter limit: Int = .max) throws -> (weights: [Tensor], epochs: Int)
        {
            let (model, stopped) = (try self.model(dtype: .int32), CancellationFlag())
            var steps = 0
            let handler = EventHandler { event in
                guard case .step = event else { return }
                steps += 1
                if steps == limit { stopped.cancel() }
            }
            let history = try model.fit(
                data, batchSize: 16, epochs: 2, callbacks: [handler],
                options: TrainingOptions(features: .off, threads: 1, cancellation: stopped), checkpoint: checkpoint)
            return (model.weights, history.epochs.count)
        }
        let plain = try train(nil)
        #expect(try train(checkpoint, stopAfter: 4).epochs == 1)
        let resumed = try train(checkpoint)
        #expect(resumed.epochs == 2 && resumed.weights == plain.weights)
    }

    @Test func theSavedModelCarriesTheRule() throws {
        let model = try self.model()
        let data = try Texts(count: 32, seed: 1)
        try model.fit(data, batchSize: 16, options: TrainingOptions(features: .folder(root.path), threads: 1))
        #expect(try model.metadata.inputRule == .tokens(data.rule))
        let path = root.path + "/texts.keras"
        try model.save(path)
        let loaded = try Model.load(path)
        #expect(loaded.inputs.map(\.dtype) == [.int32])
        #expect(try loaded.metadata.inputRule == .tokens(data.rule))
        #expect(try loaded.predict(data).outputs == model.predict(data).outputs)
    }

    @Test(arguments: [ElementType.int32, .float32], [false, true])
    func featuresOfTextsAreKept(dtype: ElementType, isSequence: Bool) throws {
        let data = try Texts(count: 40, seed: 1, dtype: dtype)
        func train(_ cache: FeatureCache) throws -> (weights: [Tensor], history: History) {
            let model = try modelWithTrunk(dtype: dtype, isSequence: isSequence)
            let history = try model.fit(
                data, batchSize: 8, epochs: 3, options: TrainingOptions(features: cache, threads: 1))
            return (model.weights, history)
        }
        let (live, kept) = (try train(.off), try train(.folder(root.path)))
        for (left, right) in zip(live.weights, kept.weights) {
            // Sums of another order in float32, through fifteen steps.
            expectClose(right.scalars, left.scalars, tolerance: 1e-4, "a variable")
        }
        #expect(kept.history.reusedFeatureCount == 0)
        #expect(try train(.folder(root.path)).history.reusedFeatureCount == 40)
    }

    @Test func aRuleOfAnotherKindStays() throws {
        let (model, data) = (try self.model(), try Texts(count: 16, seed: 1))
        model.metadata.storedInputRule = ["sound": ["sample_rate": 16000]]
        try model.fit(data, batchSize: 16, options: TrainingOptions(features: .off, threads: 1))
        let error = #expect(throws: GraftError.self) { try model.metadata.inputRule }
        #expect(error?.message.contains("of the kind sound; this Graft knows image and tokens") == true)
    }

    /// Embedding, mean over the positions, Dense.
    private func model(dtype: ElementType = .int32) throws -> Model {
        let ids = Input(shape: [Texts.length], dtype: dtype, name: "ids")
        let vectors = try Embedding(inputDim: Texts.wordCount, outputDim: 8)(ids)
        let mean = try GlobalAveragePooling2D()(Reshape([1, Texts.length, 8])(vectors))
        return try compiled(Model(inputs: ids, outputs: Dense(2, activation: .softmax)(mean), seed: 5))
    }

    /// A frozen table and a frozen dense layer under the head: over all positions together, or over each of them.
    private func modelWithTrunk(dtype: ElementType, isSequence: Bool = false) throws -> Model {
        let ids = Input(shape: [Texts.length], dtype: dtype, name: "ids")
        let (table, dense) = (Embedding(inputDim: Texts.wordCount, outputDim: 8), Dense(16, activation: .relu))
        (table.trainable, dense.trainable) = (false, false)
        let features = try isSequence ? Flatten()(dense(table(ids))) : dense(Flatten()(table(ids)))
        return try compiled(Model(inputs: ids, outputs: Dense(2, activation: .softmax)(features), seed: 5))
    }

    private func compiled(_ model: Model) throws -> Model {
        try model.compile(
            optimizer: Adam(learningRate: 0.03), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
        return model
    }
}

/// Texts of 4 to 16 words in two classes, as ids of one length: the rule cuts off what is longer and fills up what is shorter.
private struct Texts: Dataset {
    static let length = 12
    /// The id 0 is padding; each class has words of its own, and both have some.
    static let wordCount = 42

    let rule: TokenRule
    let texts: [[Int]]
    let dtype: ElementType
    var count: Int { texts.count }
    var classNames: [String]? { ["even", "odd"] }
    var inputRule: InputRule? { .tokens(rule) }

    /// - Parameter wrongID: the second id of example 21, where it is to be another one.
    init(count: Int, seed: UInt64, dtype: ElementType = .int32, wrongID: Int? = nil) throws {
        self.dtype = dtype
        rule = try TokenRule(maximumLength: Self.length, paddingID: 0, vocabulary: "made up")
        let random = RandomStream(key: seed, stream: 7)
        func draw(_ position: Int, below limit: Int) -> Int { Int(random.uniform(at: position) * Float(limit)) }
        var texts = (0..<count).map { text in
            (0..<(4 + draw(40 * text, below: 13))).map { word in
                let position = 40 * text + 2 * word + 1
                let isShared = random.uniform(at: position) < 0.2
                return 1 + draw(position + 1, below: isShared ? 8 : 16) + (isShared ? 0 : 8 + 16 * (text % 2))
            }
        }
        if let wrongID { texts[21][1] = wrongID }
        self.texts = texts
    }

    func name(of index: Int) -> String? { "text \(index)" }

    func batch(_ indices: [Int]) throws -> Batch {
        let ids = indices.flatMap { index in
            let words = texts[index].prefix(rule.maximumLength).map(Float.init)
            return words + [Float](repeating: Float(rule.paddingID), count: rule.maximumLength - words.count)
        }
        return Batch(
            indices: indices, inputs: [Tensor(ids, shape: [indices.count, rule.maximumLength]).stored(as: dtype)],
            targets: try targets(of: indices))
    }

    func targets(of indices: [Int]) throws -> [Tensor] {
        [Tensor(indices.map { Float($0 % 2) }, shape: [indices.count])]
    }

    func fingerprint(of index: Int) throws -> String? { "\(rule) \(texts[index])" }
}
