import Foundation
import GraftFormats
import GraftModel
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
