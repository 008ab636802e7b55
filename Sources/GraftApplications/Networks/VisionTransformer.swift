import GraftFormats

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ViT-Ti/16 (Dosovitskiy et al., 2021; Steiner et al., 2022): 5.5 million parameters without its top.
///
/// Weights are a file's: a `.safetensors` with the names of Hugging Face's `ViTModel`, of timm or of torchvision. None are
/// published in a form that Graft downloads, so that `.imagenet` is an error. For images of another size than 224 × 224 the
/// positions that it learned are interpolated as the source of the names does it.
public let ViTTi16 = Base.viTTi16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ViT-S/16: 21.7 million parameters without its top; weights as ``ViTTi16``.
public let ViTS16 = Base.viTS16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// ViT-B/16: 85.8 million parameters without its top; weights as ``ViTTi16``.
public let ViTB16 = Base.viTB16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DeiT-Ti/16 (Touvron et al., 2021): ViT-Ti/16 on ImageNet's own means; weights as ``ViTTi16``.
public let DeiTTi16 = Base.deiTTi16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DeiT-S/16: ViT-S/16 on ImageNet's own means; weights as ``ViTTi16``.
public let DeiTS16 = Base.deiTS16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DeiT-B/16: ViT-B/16 on ImageNet's own means, as torchvision's `vit_b_16` has them too; weights as ``ViTTi16``.
public let DeiTB16 = Base.deiTB16

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DINOv2 ViT-S/14 (Oquab et al., 2024): 21.6 million parameters at 224 × 224, learned without labels; it has no top.
///
/// Weights are a file's: a `.safetensors` with the names of Hugging Face's `Dinov2Model` or of timm.
public let DINOv2S14 = Base.dinov2S14

// swift-format-ignore: AlwaysUseLowerCamelCase
/// DINOv2 ViT-B/14: 85.7 million parameters at 224 × 224; weights as ``DINOv2S14``.
public let DINOv2B14 = Base.dinov2B14

extension BaseFamily {
    static let visionTransformer = BaseFamily(
        "ViT", license: "Apache 2.0", source: "google-research/vision_transformer")
    static let deiT = BaseFamily("DeiT", license: "Apache 2.0", source: "facebookresearch/deit")
    static let dinov2 = BaseFamily("DINOv2", license: "Apache 2.0", source: "facebookresearch/dinov2")
}

extension Base {
    /// ViT-Ti/16.
    public static let viTTi16 = vision(
        "vit-ti16", "ViTTi16", .tiny16, .visionTransformer, .signedUnit, (5_524_416, 5_717_416))
    /// ViT-S/16.
    public static let viTS16 = vision(
        "vit-s16", "ViTS16", .small16, .visionTransformer, .signedUnit, (21_665_664, 22_050_664))
    /// ViT-B/16.
    public static let viTB16 = vision(
        "vit-b16", "ViTB16", .base16, .visionTransformer, .signedUnit, (85_798_656, 86_567_656))
    /// DeiT-Ti/16.
    public static let deiTTi16 = vision("deit-ti16", "DeiTTi16", .tiny16, .deiT, .torch, (5_524_416, 5_717_416))
    /// DeiT-S/16.
    public static let deiTS16 = vision("deit-s16", "DeiTS16", .small16, .deiT, .torch, (21_665_664, 22_050_664))
    /// DeiT-B/16.
    public static let deiTB16 = vision("deit-b16", "DeiTB16", .base16, .deiT, .torch, (85_798_656, 86_567_656))
    /// DINOv2 ViT-S/14.
    public static let dinov2S14 = vision("dinov2-s14", "DINOv2S14", .small14, .dinov2, .torch, (21_628_800, nil))
    /// DINOv2 ViT-B/14.
    public static let dinov2B14 = vision("dinov2-b14", "DINOv2B14", .base14, .dinov2, .torch, (85_724_928, nil))

    private static func vision(
        _ id: String, _ title: String, _ network: VisionTransformer, _ family: BaseFamily,
        _ preprocessing: Preprocessing, _ parameterCounts: (Int, Int?)
    ) -> Base {
        Base(
            id: id, title: title, modelName: id.replacing("-", with: "_"), family: family, defaultSize: 224,
            minimumSize: 2 * network.patchSize, cuts: ["block6", "block9", "block12", VisionTransformer.outputName],
            defaultCut: VisionTransformer.outputName, preprocessing: preprocessing,
            parameterCount: parameterCounts.0, parameterCountWithTop: parameterCounts.1, weights: nil,
            weightsWithTop: nil, network: network)
    }
}

/// A vision transformer: an image is cut into patches, each is a token beside one that stands for the whole, and twelve blocks of
/// attention and two dense layers follow, each normalized before and added to what went in.
///
/// Features: the token of the whole image after the last normalization, (width). Cuts at a block, `block12`, have all tokens,
/// (1 + patches, width).
///
/// Sources: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, arXiv:2010.11929, table 1; Touvron et al., DeiT,
/// arXiv:2012.12877; Oquab et al., DINOv2, arXiv:2304.07193, whose blocks scale what they add; timm/models/vision_transformer.py.
struct VisionTransformer: Network {
    /// The numbers of a token.
    let width: Int
    /// The heads of a block's attention.
    let headCount: Int
    /// Rows and columns of a patch.
    let patchSize: Int
    /// Whether each channel of what a block adds has a factor.
    var scales = false
    /// How many blocks there are.
    var blockCount = 12
    /// What normalizations add to the variance.
    var epsilon = 1e-6

    static let tiny16 = VisionTransformer(width: 192, headCount: 3, patchSize: 16)
    static let small16 = VisionTransformer(width: 384, headCount: 6, patchSize: 16)
    static let base16 = VisionTransformer(width: 768, headCount: 12, patchSize: 16)
    static let small14 = VisionTransformer(width: 384, headCount: 6, patchSize: 14, scales: true)
    static let base14 = VisionTransformer(width: 768, headCount: 12, patchSize: 14, scales: true)

    /// The layer that takes the token of the whole image.
    static let outputName = "cls"

    func features(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        var x = try tokens(of: image)
        for number in 1...blockCount { x = try block("block\(number)", x) }
        let normalized = try LayerNormalization(epsilon: epsilon, name: "norm")(x)
        return try OperationLayer.calling(
            "GetItem", on: normalized, constants: [[.slice(), 0]], name: Self.outputName)
    }

    /// The features are the input of the classes as they are.
    func classifierInput(of features: SymbolicTensor) throws(GraftError) -> SymbolicTensor { features }

    var featuresArePooled: Bool { true }

    /// Patches behind the token of the whole, and what was learned of each position added.
    private func tokens(of image: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let grid = grid(of: image.shape)
        let count = grid.rows * grid.columns
        let patches = try image.through(
            Conv2D(width, kernelSize: Size2D(patchSize), strides: Size2D(patchSize), name: "patch_embeddings"),
            Reshape([count, width], name: "patches"))
        // Keras's layers have no input but the model's: ids are zeros made of a number of the image, and a constant.
        let one = try OperationLayer.calling(
            "GetItem", on: patches, constants: [[.slice(), .slice(to: 1), 0]], name: "one")
        let zero = try OperationLayer.calling("Multiply", on: one, constants: [0], name: "zero")
        let places = try OperationLayer.calling(
            "Add", on: zero, constants: [.numbers(from: 0, count: count + 1, dtype: "float32")], name: "places")
        let whole = try table(1, "cls_token")(zero)
        let tokens = try Concatenate(axis: 1, name: "tokens")([whole, patches])
        return try Add(name: "embeddings")([tokens, table(count + 1, "position_embeddings")(places)])
    }

    private func table(_ rows: Int, _ name: String) -> Embedding {
        Embedding(
            inputDim: rows, outputDim: width, embeddingsInitializer: .truncatedNormal(standardDeviation: 0.02),
            name: name)
    }

    private func block(_ name: String, _ input: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        let normalized = try LayerNormalization(epsilon: epsilon, name: "\(name)_norm1")(input)
        let attention = MultiHeadAttention(
            numHeads: headCount, keyDim: width / headCount, name: "\(name)_attention")
        let attended = try Add(name: "\(name)_attention_add")([
            input, scaled(attention(normalized, normalized), "\(name)_scale1"),
        ])
        let output = try attended.through(
            LayerNormalization(epsilon: epsilon, name: "\(name)_norm2"),
            Dense(4 * width, activation: .gelu, name: "\(name)_dense1"), Dense(width, name: "\(name)_dense2"))
        return try Add(name: name)([attended, scaled(output, "\(name)_scale2")])
    }

    private func scaled(_ x: SymbolicTensor, _ name: String) throws(GraftError) -> SymbolicTensor {
        scales ? try LayerScale(1e-5, projectionDim: width, name: name)(x) : x
    }

    /// How many patches an image has along its axes; what is left over at its edges is not seen.
    private func grid(of image: Shape) -> (rows: Int, columns: Int) { (image[0] / patchSize, image[1] / patchSize) }
}

// MARK: - Weights

extension VisionTransformer {
    func pyTorchLayouts(for image: Shape) -> [PyTorchLayout] {
        let grid = grid(of: image)
        let learned = PyTorchModule.Grid(rows: grid.rows, columns: grid.columns, antialiases: false)
        let smooth = PyTorchModule.Grid(rows: grid.rows, columns: grid.columns, antialiases: true)
        return scales
            ? [dinov2Layout(learned), timmLayout(smooth)]
            : [huggingFaceLayout(learned), timmLayout(smooth), torchvisionLayout(learned)]
    }

    /// The modules of each block, `#` for its number from 0 on, beside those of the whole.
    private func layout(
        _ package: String, _ whole: [String: PyTorchModule], block: [String: PyTorchModule]
    ) -> PyTorchLayout {
        var modules = whole
        for number in 1...blockCount {
            for (layer, module) in block {
                modules["block\(number)_\(layer)"] = module.renamed(module.name.replacing("#", with: "\(number - 1)"))
            }
        }
        return PyTorchLayout(package: package, modules: modules)
    }

    private func huggingFaceLayout(_ grid: PyTorchModule.Grid) -> PyTorchLayout {
        let attention = "encoder.layer.#.attention"
        var result = layout(
            "Hugging Face's ViT",
            [
                "cls_token": .array("embeddings.cls_token"),
                "position_embeddings": .array("embeddings.position_embeddings").resampled(to: grid),
                "patch_embeddings": "embeddings.patch_embeddings.projection", "norm": "layernorm",
                "predictions": "classifier",
            ],
            block: [
                "norm1": "encoder.layer.#.layernorm_before",
                "attention/query": PyTorchModule("\(attention).attention.query"),
                "attention/key": PyTorchModule("\(attention).attention.key"),
                "attention/value": PyTorchModule("\(attention).attention.value"),
                "attention/attention_output": PyTorchModule("\(attention).output.dense"),
                "norm2": "encoder.layer.#.layernorm_after", "dense1": "encoder.layer.#.intermediate.dense",
                "dense2": "encoder.layer.#.output.dense",
            ])
        result.prefixes = ["vit.", "deit."]
        result.passedOver = ["pooler."]
        return result
    }

    private func dinov2Layout(_ grid: PyTorchModule.Grid) -> PyTorchLayout {
        let attention = "encoder.layer.#.attention"
        var result = layout(
            "Hugging Face's DINOv2",
            [
                "cls_token": .array("embeddings.cls_token"),
                "position_embeddings": .array("embeddings.position_embeddings").resampled(to: grid),
                "patch_embeddings": "embeddings.patch_embeddings.projection", "norm": "layernorm",
            ],
            block: [
                "norm1": "encoder.layer.#.norm1",
                "attention/query": PyTorchModule("\(attention).attention.query"),
                "attention/key": PyTorchModule("\(attention).attention.key"),
                "attention/value": PyTorchModule("\(attention).attention.value"),
                "attention/attention_output": PyTorchModule("\(attention).output.dense"),
                "scale1": PyTorchModule("encoder.layer.#.layer_scale1").naming(["lambda1"]),
                "norm2": "encoder.layer.#.norm2", "dense1": "encoder.layer.#.mlp.fc1",
                "dense2": "encoder.layer.#.mlp.fc2",
                "scale2": PyTorchModule("encoder.layer.#.layer_scale2").naming(["lambda1"]),
            ])
        result.prefixes = ["dinov2."]
        result.passedOver = ["embeddings.mask_token", "classifier."]
        return result
    }

    private func timmLayout(_ grid: PyTorchModule.Grid) -> PyTorchLayout {
        let attention = PyTorchModule("blocks.#.attn.qkv")
        var block: [String: PyTorchModule] = [
            "norm1": "blocks.#.norm1", "attention/query": attention.part(0, of: 3),
            "attention/key": attention.part(1, of: 3), "attention/value": attention.part(2, of: 3),
            "attention/attention_output": "blocks.#.attn.proj", "norm2": "blocks.#.norm2",
            "dense1": "blocks.#.mlp.fc1", "dense2": "blocks.#.mlp.fc2",
        ]
        if scales {
            block["scale1"] = PyTorchModule("blocks.#.ls1").naming(["gamma"])
            block["scale2"] = PyTorchModule("blocks.#.ls2").naming(["gamma"])
        }
        return layout(
            "timm's ViT",
            [
                "cls_token": .array("cls_token"), "position_embeddings": .array("pos_embed").resampled(to: grid),
                "patch_embeddings": "patch_embed.proj", "norm": "norm", "predictions": "head",
            ], block: block)
    }

    private func torchvisionLayout(_ grid: PyTorchModule.Grid) -> PyTorchLayout {
        let name = "encoder.layers.encoder_layer_#"
        let attention = PyTorchModule("\(name).self_attention").naming(["in_proj_weight"]).namingBias(["in_proj_bias"])
        return layout(
            "torchvision's ViT",
            [
                "cls_token": .array("class_token"),
                "position_embeddings": .array("encoder.pos_embedding").resampled(to: grid),
                "patch_embeddings": "conv_proj", "norm": "encoder.ln", "predictions": "heads.head",
            ],
            block: [
                "norm1": PyTorchModule("\(name).ln_1"), "attention/query": attention.part(0, of: 3),
                "attention/key": attention.part(1, of: 3), "attention/value": attention.part(2, of: 3),
                "attention/attention_output": PyTorchModule("\(name).self_attention.out_proj"),
                "norm2": PyTorchModule("\(name).ln_2"), "dense1": PyTorchModule("\(name).mlp.0"),
                "dense2": PyTorchModule("\(name).mlp.3"),
            ])
    }
}
