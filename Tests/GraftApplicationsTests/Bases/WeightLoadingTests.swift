import Foundation
import GraftFormats
import GraftModel
import GraftTestSupport
import Testing

@testable import GraftApplications

@Suite struct WeightLoadingTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func smallOptions(_ weights: Weights) -> BaseOptions {
        BaseOptions(weights: weights, includeTop: false, inputShape: [32, 32, 3])
    }

    /// Writes weights that a formula makes for a model, as Keras would.
    private func write(_ model: Model) throws -> String {
        let path = folder.path + "/weights.h5"
        try MadeNumbers.fill(model)
        try LegacyWeights.save(model.publishedLayers, to: path)
        return path
    }

    @Test func aFileFillsAllLayersButThePreprocessing() throws {
        let written = try Base.resNet50.model(smallOptions(.none))
        let read = try Base.resNet50.model(smallOptions(.file(write(written))))
        #expect(read.variables.map(\.path) == written.variables.map(\.path))
        for (ours, theirs) in zip(read.variables, written.variables) { #expect(isSame(ours.value, theirs.value)) }
        let bgr = try read.layer(named: "bgr")
        #expect(!bgr.trainable)
        #expect(
            bgr.weights == [
                Tensor([0, 0, 1, 0, 1, 0, 1, 0, 0], shape: [1, 1, 3, 3]),
                Tensor([-103.939, -116.779, -123.68], shape: [3]),
            ])
    }

    @Test func weightsWithTheTopServeABaseWithout() throws {
        let written = try ResNet50(inputShape: [32, 32, 3])
        let read = try ResNet50(weights: .file(write(written)), includeTop: false, inputShape: [64, 32, 3])
        let features = try written.layer(named: "conv5_block3_3_conv").weights
        #expect(try read.layer(named: "conv5_block3_3_conv").weights == features)
        #expect(try read.output.layer.name == "conv5_block3_out")
    }

    /// An EfficientNet with these statistics of pixels, written as Keras publishes it.
    private func writeEfficientNet(variance: [Float]) throws -> (model: Model, path: String) {
        let written = try EfficientNetB0(includeTop: false, inputShape: [32, 32, 3])
        let path = folder.path + "/efficientnet.h5"
        try MadeNumbers.fill(written)
        let statistics = [Tensor([0.485, 0.456, 0.406], shape: [3]), Tensor(variance, shape: [3])]
        try written.layer(named: "normalization").setWeights(statistics + [Tensor([0], shape: [])])
        try LegacyWeights.save(written.publishedLayers, to: path)
        return (written, path)
    }

    @Test func anEfficientNetTrainedOnDeviationsDividesByThemAsKerasDoes() throws {
        let image = MadeNumbers.images([1, 32, 32, 3])
        let (_, path) = try writeEfficientNet(variance: [0.229, 0.224, 0.225])
        let read = try EfficientNetB0(weights: .file(path), includeTop: false, inputShape: [32, 32, 3])
        #expect(read.layers.prefix(4).map(\.name).dropFirst() == ["rescaling", "normalization", "rescaling_1"])
        let pixels = try Model(inputs: read.input, outputs: read.layer(named: "rescaling_1").output)
        let (mean, deviation): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        let expected = image.scalars.enumerated().map { ($1 / 255 - mean[$0 % 3]) / deviation[$0 % 3] }
        // Two roundings of a quotient near 1 more than by one division.
        expectClose(try CPUOutput.of(pixels, for: image), Tensor(expected, shape: image.shape), tolerance: 1e-6)
    }

    @Test func anEfficientNetOfOtherStatisticsDividesOnce() throws {
        let (written, path) = try writeEfficientNet(variance: [0.0524, 0.0502, 0.0506])
        let read = try EfficientNetB0(weights: .file(path), includeTop: false, inputShape: [32, 32, 3])
        #expect(read.layers.map(\.name) == written.layers.map(\.name))
        for (ours, theirs) in zip(read.variables, written.variables) { #expect(isSame(ours.value, theirs.value)) }
    }

    @Test func anEfficientNetWithoutItsPreprocessingTakesTheRestOfTheFile() throws {
        let (written, path) = try writeEfficientNet(variance: [0.229, 0.224, 0.225])
        let read = try EfficientNetB0(
            weights: .file(path), includeTop: false, inputShape: [32, 32, 3], includePreprocessing: false)
        #expect(read.layers[1].name == "stem_conv_pad")
        #expect(read.variables.count == written.variables.count - 3)
        for (ours, theirs) in zip(read.variables, written.variables.dropFirst(3)) {
            #expect(isSame(ours.value, theirs.value), "\(ours.path)")
        }
    }

    /// `save_weights("….weights.h5")` of `keras.applications.ResNet50`, which has no layers of preprocessing.
    @Test func weightsOfKeras3FillAllLayersButThePreprocessing() throws {
        let path = folder.path + "/resnet.weights.h5"
        let options = BaseOptions(
            weights: .none, includeTop: false, inputShape: [32, 32, 3], preprocessing: Preprocessing.none)
        let written = try Base.resNet50.model(options)
        try MadeNumbers.fill(written)
        try written.saveWeights(path)
        let read = try Base.resNet50.model(smallOptions(.file(path)))
        #expect(read.publishedLayers.map(\.name) == written.publishedLayers.map(\.name))
        for (ours, theirs) in zip(read.publishedLayers, written.publishedLayers) {
            for (left, right) in zip(ours.weights, theirs.weights) { #expect(isSame(left, right), "\(ours.name)") }
        }
    }

    @Test func weightsOfKeras3WithTheTopServeABaseWithout() throws {
        let path = folder.path + "/mobilenet.weights.h5"
        let written = try MobileNetV2(inputShape: [32, 32, 3])
        try MadeNumbers.fill(written)
        try written.saveWeights(path)
        let read = try MobileNetV2(weights: .file(path), includeTop: false, inputShape: [32, 32, 3])
        #expect(try read.layer(named: "Conv_1").weights == written.layer(named: "Conv_1").weights)
        let error = #expect(throws: GraftError.self) { try Base.vgg16.model(smallOptions(.file(path))) }
        #expect(error?.code == .weights)
    }

    @Test func weightsOfAnotherNetworkAreRefused() throws {
        let path = try write(Base.vgg16.model(smallOptions(.none)))
        let error = #expect(throws: GraftError.self) { try Base.resNet50.model(smallOptions(.file(path))) }
        #expect(error?.code == .weights)
        #expect(error?.message.contains("holds 13 layers with weights, this model has 106") == true)
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        let error = #expect(throws: GraftError.self) {
            try InceptionV3(weights: .file("/no/such.h5"), includeTop: false)
        }
        #expect(error?.code == .file)
        #expect(error?.message.contains("/no/such.h5") == true)
    }

    @Test func safetensorsAreReadWhateverTheyAreCalled() throws {
        let written = try EfficientNetLite0(inputShape: [32, 32, 3], classes: 3)
        try MadeNumbers.fill(written)
        let path = folder.path + "/no-ending"
        try Data(safetensors(of: written).file).write(to: URL(fileURLWithPath: path))
        let read = try EfficientNetLite0(weights: .file(path), inputShape: [32, 32, 3], classes: 3)
        for (ours, theirs) in zip(read.variables, written.variables) { #expect(isSame(ours.value, theirs.value)) }
        // Without the top, whatever classes the file's is for.
        let base = try EfficientNetLite0(weights: .file(path), includeTop: false, inputShape: [64, 32, 3])
        #expect(base.countParameters() == 3_413_024)
        for (ours, theirs) in zip(base.variables, written.variables) { #expect(isSame(ours.value, theirs.value)) }

        let error = #expect(throws: GraftError.self) { try EfficientNetLite0(weights: .file(path)) }
        #expect(
            error?.message.hasSuffix(
                "_fc.weight has the shape (3, 1280), this model needs (1000, 1280), _fc.bias has the shape (3,), this "
                    + "model needs (1000,)") == true)
        let other = #expect(throws: GraftError.self) { try ResNet50(weights: .file(path)) }
        #expect(
            other?.message
                == "\(path) is a safetensors file; weights of ResNet50 are read from HDF5 as Keras writes it (.h5)")
    }

    @Test func resNet18TakesTorchvisionsNames() throws {
        let written = try ResNet18(inputShape: [32, 32, 3], classes: 3)
        try MadeNumbers.fill(written)
        let bytes = try safetensors(of: written, base: .resNet18)
        let path = folder.path + "/resnet18.safetensors"
        try Data(bytes.file).write(to: URL(fileURLWithPath: path))
        let read = try ResNet18(weights: .file(path), inputShape: [32, 32, 3], classes: 3)
        for (ours, theirs) in zip(read.variables, written.variables) {
            #expect(isSame(ours.value, theirs.value), "\(ours.path)")
        }
        // What torchvision's state_dict() of a ResNet-18 has, but the counters.
        let names = Set(try SafetensorsFile(reading: path).arrays.map(\.name))
        #expect(names.count == 20 * 5 + 2)
        for name in [
            "conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer1.1.bn2.running_var",
            "layer2.0.downsample.0.weight", "layer2.0.downsample.1.bias", "layer4.1.bn2.weight", "fc.weight", "fc.bias",
        ] {
            #expect(names.contains(name), "\(name)")
        }
    }

    /// The weights of a network as PyTorch keeps them. Axes are turned the other way round than Graft turns them: from
    /// Keras's last to the front.
    private func safetensors(of model: Model, base: Base = .efficientNetLite0) throws -> SafetensorsBytes {
        let layout = try #require(base.network.pyTorch)
        let names = [
            "beta": "bias", "bias": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
        ]
        return SafetensorsBytes(
            try model.publishedLayers.flatMap { layer in
                let module = try #require(layout.modules[layer.name]).name
                return layer.variables.map { variable in
                    SafetensorsBytes.Array(
                        "\(module).\(names[variable.name] ?? "weight")", outputsFirst(variable.value))
                }
            })
    }

    /// (h, w, in, out) → (out, in, h, w); a channelwise kernel (h, w, channels, 1) → (channels, 1, h, w); a matrix turned.
    private func outputsFirst(_ tensor: Tensor) -> Tensor {
        guard tensor.shape.rank > 1 else { return tensor }
        let sizes = [Int](repeating: 1, count: 4 - tensor.shape.rank) + tensor.shape.dimensions
        let (h, w) = (sizes[0], sizes[1])
        let (inputs, outputs) = sizes[3] == 1 ? (1, sizes[2]) : (sizes[2], sizes[3])
        let values = tensor.scalars
        var turned: [Float] = []
        for output in 0..<outputs {
            for input in 0..<inputs {
                for place in 0..<(h * w) { turned.append(values[(place * inputs + input) * outputs + output]) }
            }
        }
        let shape: Shape = tensor.shape.rank == 2 ? [outputs, inputs] : [outputs, inputs, h, w]
        return Tensor(turned, shape: shape)
    }

    @Test(arguments: [
        ("PK\u{3}\u{4} and more", " is a zip archive, as .keras models and PyTorch's .pth files are"),
        ("<html>", " is neither HDF5 nor safetensors (it begins with \"<html>\")"),
        ("", " is neither HDF5 nor safetensors (it begins with nothing: it is empty)"),
    ])
    func filesOfOtherKindsAreRefused(text: String, message: String) throws {
        try folder.write(Data(text.utf8), to: "weights.h5")
        let path = folder.path + "/weights.h5"
        let error = #expect(throws: GraftError.self) { try EfficientNetLite0(weights: .file(path)) }
        #expect(error?.code == .format)
        #expect(
            error?.message == """
                \(path)\(message); weights of EfficientNetLite0 are read from safetensors with the names of PyTorch's \
                package efficientnet_lite_pytorch, or HDF5 as Keras writes it (.h5)
                """)
    }

    @Test func publishedWeightsComeThroughTheCache() throws {
        let name = try Base.resNet50.weights(includeTop: false).name
        try folder.write(Data("not weights".utf8), to: "keras/models/\(name)")
        let cache = FileCache(
            folder: folder.path + "/graft", kerasFolder: folder.path + "/keras",
            downloader: FakeDownloader(Data("neither".utf8)))
        let error = #expect(throws: GraftError.self) {
            try Base.resNet50.model(smallOptions(.imagenet), cache: cache)
        }
        let message = try #require(error?.message)
        #expect(message.hasPrefix("\(name) is needed and could not be downloaded: "))
        #expect(message.contains("Get it from https://storage.googleapis.com/tensorflow/keras-applications/resnet/"))
        #expect(message.contains("put it at \(folder.path)/graft/weights/\(name)"))
    }

    /// Equality bit for bit; `==` takes seconds for millions of numbers where the tests are not optimized.
    private func isSame(_ left: Tensor, _ right: Tensor) -> Bool {
        left.shape == right.shape
            && left.withUnsafeBuffer { ours in
                right.withUnsafeBuffer { theirs in
                    guard let ours = ours.baseAddress, let theirs = theirs.baseAddress else { return left.count == 0 }
                    return memcmp(ours, theirs, left.count * MemoryLayout<Float>.stride) == 0
                }
            }
    }

    private static let checkpoint = SharedFiles.path("weights/inception_v3-2015-12-05-notop.h5")
    private static let mobileNet = SharedFiles.path("weights/mobilenet_v2-1.0-224-top.h5")

    @Test(.enabled(if: checkpoint != nil, "needs ../shared/weights/inception_v3-2015-12-05-notop.h5"))
    func inceptionTakesARealCheckpoint() throws {
        let path = try #require(Self.checkpoint)
        let model = try InceptionV3(includeTop: false, inputShape: [150, 150, 3])
        let report = try LegacyWeights.load(from: path, into: model.publishedLayers)
        #expect(report.layers.count == 188)
        #expect(report.parameterCount == 21_802_784)
        #expect(report.notes.isEmpty)
        // Batch normalization is folded into this checkpoint's kernels: what is left of it does nothing.
        let normalization = try model.layer(named: "batch_normalization_93")
        #expect(try #require(normalization.variable(named: "moving_mean")).value == Tensor(zeros: [192]))
    }

    @Test(.enabled(if: mobileNet != nil, "needs ../shared/weights/mobilenet_v2-1.0-224-top.h5"))
    func mobileNetTakesRealWeightsWithAndWithoutItsTop() throws {
        let path = try #require(Self.mobileNet)
        let whole = try MobileNetV2(weights: .file(path))
        let report = try LegacyWeights.load(from: path, into: whole.publishedLayers)
        #expect(report.layers.count == 105)
        #expect(report.parameterCount == 3_538_984)
        let base = try MobileNetV2(weights: .file(path), includeTop: false, inputShape: [96, 96, 3])
        #expect(base.countParameters() == 2_257_984)
        for (ours, theirs) in zip(base.publishedLayers, whole.publishedLayers) {
            #expect(ours.weights == theirs.weights)
        }
    }
}
