import Foundation
import GraftCPU
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

/// Vision transformers with random weights, against what transformers, timm and torchvision computed; written by
/// `Tests/Transformers/vision.py`.
@Suite struct VisionTransformerTests {
    static let names = [
        "vit", "vit-resized", "dinov2", "dinov2-resized", "timm", "timm-resized", "timm-dinov2", "torchvision",
    ]
    /// Both compute in 32 bits, in other orders: sums of a few dozen products through two blocks.
    private static let tolerance = 1e-5

    private static func base(_ name: String) -> Base {
        let network = VisionTransformer(
            width: 12, headCount: 3, patchSize: 4, scales: name.contains("dinov2"), blockCount: 2)
        return Base(
            id: "small", title: "Small", modelName: "small", family: .visionTransformer, defaultSize: 24,
            minimumSize: 8,
            cuts: ["block1", "block2", "cls"], defaultCut: "cls", preprocessing: .none, parameterCount: 0,
            parameterCountWithTop: 0, weights: nil, weightsWithTop: nil, network: network)
    }

    private static func folder(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures/vision")).path
    }

    @Test(arguments: names) func numbersAreTheSources(_ name: String) throws {
        let folder = try Self.folder(name)
        let reference = try SafetensorsFile(reading: folder + "/reference.safetensors")
        let images = try reference.tensor("images")
        let shape = Shape(Array(images.shape.dimensions.dropFirst()))
        let hasTop = reference.arrays.contains { $0.name == "classes" }
        let model = try Self.base(name).model(
            BaseOptions(
                weights: .file(folder + "/model.safetensors"), includeTop: hasTop, inputShape: shape, classes: 5,
                classifierActivation: .linear))
        for cut in ["block1", "block2", "cls"] {
            let part = try Model(inputs: model.input, outputs: model.output(ofLayer: cut))
            expectClose(
                try CPUOutput.of(part, for: images), try reference.tensor(cut), tolerance: Self.tolerance, "\(cut)")
        }
        guard hasTop else { return }
        let classes = try CPUOutput.of(model, for: images)
        expectClose(classes, try reference.tensor("classes"), tolerance: Self.tolerance, "classes")
    }

    /// The names of the true sizes' arrays, and how many there are.
    @Test func layoutsHaveTheNamesOfPublishedFiles() throws {
        let image: Shape = [224, 224, 3]
        let layouts = Base.viTB16.network.pyTorchLayouts(for: image)
        #expect(layouts.map(\.package) == ["Hugging Face's ViT", "timm's ViT", "torchvision's ViT"])
        let names = layouts.map { Set($0.modules.values.map(\.name)) }
        for (names, some) in zip(
            names,
            [
                ["encoder.layer.11.attention.attention.key", "encoder.layer.0.layernorm_before", "classifier"],
                ["blocks.11.attn.qkv", "blocks.0.mlp.fc1", "head"],
                [
                    "encoder.layers.encoder_layer_11.self_attention", "encoder.layers.encoder_layer_0.mlp.3",
                    "heads.head",
                ],
            ])
        {
            #expect(names.isSuperset(of: some), "\(Set(some).subtracting(names))")
        }
        #expect(layouts.map(\.modules.count) == [5 + 12 * 8, 5 + 12 * 8, 5 + 12 * 8])
    }

    @Test func aFileOfAnotherNetworkIsRefused() throws {
        let path = try Self.folder("timm") + "/model.safetensors"
        let error = #expect(throws: GraftError.self) {
            try ViTTi16(weights: .file(path), includeTop: false)
        }
        #expect(error?.code == .weights)
        #expect(error?.message.contains("blocks.2.norm1.weight") == true, "\(error?.message ?? "")")
    }
}
