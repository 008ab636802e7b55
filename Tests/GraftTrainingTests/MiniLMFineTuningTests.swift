import Foundation
import GraftApplications
import GraftGraph
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Thirty steps of MiniLM with a head, against those that transformers and PyTorch's AdamW did:
/// `Tests/Transformers/finetuning.py` writes them. Where the weights are not there, nothing is tested.
@Suite struct MiniLMFineTuningTests {
    private struct Texts: Decodable {
        let ids: [[Float]]
        enum CodingKeys: String, CodingKey { case ids = "input_ids" }
    }

    /// The weights beside the package, or in the folder that `GRAFT_SHARED` names.
    private static let folder: URL? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["GRAFT_SHARED"]
            ?? package.deletingLastPathComponent().appendingPathComponent("shared").path
        let folder = URL(fileURLWithPath: shared + "/text/minilm")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()
    private static let missing: Comment = "needs ../shared/text/minilm"

    private func examples() throws -> (data: ArrayDataset, length: Int) {
        let file = try #require(Self.folder).appendingPathComponent("reference.json")
        let texts = try JSONDecoder().decode(Texts.self, from: Data(contentsOf: file)).ids
        let length = try #require(texts.map(\.count).max())
        let ids = texts.flatMap { $0 + [Float](repeating: 0, count: length - $0.count) }
        let mask = texts.flatMap { text in (0..<length).map { $0 < text.count ? Float(1) : 0 } }
        let inputs = [ids, mask].map { Tensor($0, shape: [texts.count, length]).stored(as: .int32) }
        let classes = Tensor(texts.indices.map { Float($0 % 3) }, shape: [texts.count])
        return (try ArrayDataset(inputs: inputs, targets: [classes]), length)
    }

    private func model(length: Int, from layer: String?) throws -> Model {
        var base = try BERT(weights: #require(Self.folder).appendingPathComponent("model.float16.safetensors").path)
        base.length = length
        let network = try base.model()
        let features = try base.features(at: base.defaultCut, of: network)
        let head = Dense(3, activation: .softmax, name: "head")
        let model = try Model(inputs: network.inputs, outputs: head(features))
        let numbers = (0..<1152).map { (number: Int) -> Float in Float((37 * number) % 101 - 50) / 500 }
        try head.variables[0].assign(Tensor(numbers, shape: [384, 3]))
        if let layer {
            network.freeze()
            try model.unfreeze(from: layer)
        }
        return model
    }

    @Test(.enabled(if: folder != nil, missing), arguments: [("all", nil), ("fromLayer5", "layer5_attention")])
    func thirtyStepsEqualTransformers(name: String, layer: String?) throws {
        let file = try #require(Bundle.module.url(forResource: "Fixtures/minilm", withExtension: "json"))
        let expected = try #require(
            try JSONDecoder().decode([String: [Double]].self, from: Data(contentsOf: file))[name])
        let (data, length) = try examples()
        let model = try model(length: length, from: layer)
        let frozen = Set(model.variables).subtracting(model.trainableVariables)
        let before = Dictionary(uniqueKeysWithValues: frozen.map { ($0, $0.value) })
        #expect(frozen.isEmpty == (layer == nil))
        let losses = LossRecorder()
        try model.compile(
            optimizer: AdamW(learningRate: 5e-5, weightDecay: 0.01, epsilon: 1e-8),
            loss: .sparseCategoricalCrossentropy)
        try model.fit(
            data, batchSize: 10, epochs: 15, shuffle: false, callbacks: [losses],
            options: TrainingOptions(features: .temporary, threads: 2))
        #expect(losses.losses.count == expected.count)
        for (step, (loss, wanted)) in zip(losses.losses, expected).enumerated() {
            // The bound.
            #expect(abs(loss - wanted) <= 1e-3 * wanted, "step \(step + 1): \(loss), expected \(wanted)")
        }
        for (variable, value) in before { #expect(variable.value == value, "\(variable.path) is frozen") }
    }

    /// The frozen encoder's features are kept, and give what the live network gives.
    @Test(.enabled(if: folder != nil, missing)) func featuresOfTextsAreKept() throws {
        let (data, length) = try examples()
        let root = TemporaryFolder()
        func train(_ cache: FeatureCache, isKept: Bool) throws -> [Tensor] {
            let model = try model(length: length, from: "head")
            try model.compile(optimizer: Adam(learningRate: 0.01), loss: .sparseCategoricalCrossentropy)
            let outline = EventHandler { event in
                guard case .began(let outline) = event else { return }
                #expect(outline.keepsFeatures == isKept && outline.trainableParameters == 384 * 3 + 3)
            }
            try model.fit(
                data, batchSize: 10, epochs: 4, shuffle: false, callbacks: [outline],
                options: TrainingOptions(features: cache, threads: 2))
            return model.trainableVariables.map(\.value)
        }
        let (live, kept) = try (train(.off, isKept: false), train(.folder(root.path), isKept: true))
        for (left, right) in zip(live, kept) {
            // Sums of another order in float32, through eight steps of Adam.
            expectClose(right, left, tolerance: 1e-4, "a variable of the head")
        }
    }
}
