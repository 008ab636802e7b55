import Foundation
import GraftData
import GraftModel
import Testing

@testable import GraftApplications

@Suite struct BaseTests {
    @Test func basesAreFoundByEachOfTheirNames() throws {
        #expect(try Base.named("inception-v3").title == "InceptionV3")
        #expect(try Base.named("InceptionV3").id == "inception-v3")
        #expect(try Base.named("inception_v3").id == "inception-v3")
        let error = #expect(throws: GraftError.self) { try Base.named("alexnet") }
        #expect(
            error?.message
                == "there is no base called “alexnet”; the nearest are mobilenet, pocket, resnet18, and "
                + "`graft bases --all` lists all")
    }

    @Test func noTwoBasesShareAName() {
        let names = Base.all.flatMap { Set([$0.id, $0.title.lowercased(), $0.modelName]) }
        #expect(Set(names).count == names.count)
        #expect(Base.all.count > 20)
    }

    @Test(arguments: Base.all)
    func whatTheRegistrySaysIsSo(base: Base) throws {
        // Keras counts what is inside of the network.
        let preprocessing = base.preprocessingIsKerass ? nil : Preprocessing.none
        let model = try base.model(BaseOptions(includeTop: false, preprocessing: preprocessing))
        #expect(try model.input.shape == [base.defaultSize, base.defaultSize, 3])
        #expect(model.countParameters() == base.parameterCount)
        if let count = base.parameterCountWithTop {
            #expect(try base.model(BaseOptions(preprocessing: preprocessing)).countParameters() == count)
        }
        #expect(model.name.hasPrefix(base.modelName))
        #expect(base.cuts.contains(base.defaultCut))
        let places = base.cuts.map { cut in model.layers.firstIndex { $0.name == cut } }
        #expect(!places.contains(nil))
        #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted())
        #expect(try base.model(smallest(base)).output.shape.dimensions.allSatisfy { $0 >= 1 })
    }

    private func smallest(_ base: Base) -> BaseOptions {
        BaseOptions(includeTop: false, inputShape: [base.minimumSize, base.minimumSize, 3])
    }

    @Test(arguments: Base.all.filter { $0.weights != nil })
    func publishedFilesHaveTheirAddressAndChecksum(base: Base) throws {
        for top in [true, false] {
            let file = try base.weights(includeTop: top)
            // NASNet's is kept under another name than it is published under, by Keras too.
            if base.family != .nasNet { #expect(URL(string: file.url)?.lastPathComponent == file.name) }
            #expect(file.url.hasPrefix("https://"))
            #expect((file.name.contains("notop") || file.name.contains("no_top")) == !top)
            // None is published for MobileNets.
            guard ![.mobileNet, .mobileNetV2].contains(base.family) else { continue }
            let digits = base.family == .convNeXt ? 64 : 32
            #expect(try #require(file.checksum).digits.wholeMatch(of: /[0-9a-f]+/)?.0.count == digits)
        }
    }

    @Test func withoutPublishedWeightsTheMessageSaysWhichFileToGive() throws {
        #expect(
            Base.all.filter { $0.weights == nil || $0.weightsWithTop == nil }.map(\.id)
                == [
                    "deit-ti16", "deit-s16", "deit-b16", "dinov2-s14", "dinov2-b14", "efficientnet-lite0", "pocket",
                    "resnet18", "resnet34", "squeezenet", "vit-ti16", "vit-s16", "vit-b16",
                ])
        for top in [true, false] {
            let error = #expect(throws: GraftError.self) { try EfficientNetLite0(weights: .imagenet, includeTop: top) }
            #expect(error?.code == .file)
            #expect(
                error?.message == """
                    no weights of EfficientNetLite0 are published in a form that Graft reads; give a file of yours \
                    (--weights FILE, .file(path)): safetensors with the names of PyTorch's package \
                    efficientnet_lite_pytorch, or HDF5 as Keras writes it (.h5)
                    """)
        }
    }

    @Test func theModelCarriesItsImageRule() throws {
        let model = try InceptionV3(includeTop: false, inputShape: [150, 180, 3])
        let rule = try InputRule(#require(model.metadata.storedInputRule))
        #expect(rule == .image(ImageRule(height: 150, width: 180)))
    }

    @Test func aCutThatDoesNotExistNamesTheNearest() throws {
        let model = try InceptionV3(includeTop: false, inputShape: [75, 75, 3])
        #expect(try Base.inceptionV3.layer(atCut: "mixed7", of: model).name == "mixed7")
        let error = #expect(throws: GraftError.self) { try Base.inceptionV3.layer(atCut: "mixd7", of: model) }
        #expect(
            error?.message == """
                inception-v3 has no layer called “mixd7” to cut it at; the nearest are mixed7, mixed0, mixed1, \
                the usual ones mixed3, mixed5, mixed7, mixed8, mixed10
                """)
    }

    @Test func anotherPreprocessingIsWarnedOf() {
        #expect(Base.vgg16.warning(for: .caffe) == nil)
        #expect(
            Base.inceptionV3.warning(for: .unit) == """
                inception-v3 was trained on x / 127.5 - 1, and gets x / 255: its features will be worse than they could be
                """)
    }

    /// Options that do not fit, and the whole message.
    @Test(arguments: [
        Misfit(
            .inceptionV3, BaseOptions(inputShape: [150, 150]),
            "InceptionV3 takes images of (height, width, channels), such as (299, 299, 3); received (150, 150)"),
        Misfit(
            .inceptionV3, BaseOptions(inputShape: [150, 74, 3]),
            "InceptionV3 takes images of at least 75 × 75; received (150, 74, 3)"),
        Misfit(
            .vgg16, BaseOptions(inputShape: [31, 31, 3]), "VGG16 takes images of at least 32 × 32; received (31, 31, 3)"
        ),
        Misfit(
            .vgg16, BaseOptions(inputShape: [1 << 40, 1 << 40, 3]),
            "VGG16 takes images of at most 8192 × 8192; received (1099511627776, 1099511627776, 3)"),
        Misfit(
            .inceptionV3, BaseOptions(weights: .imagenet, includeTop: false, inputShape: [150, 150, 1]),
            """
            the weights of InceptionV3 are for images of three channels, red, green and blue; received (150, 150, 1). \
            Bring the images to RGB, where a grey one has three equal channels, and pass (150, 150, 3); \
            or train from random weights
            """),
        Misfit(
            .inceptionV3, BaseOptions(inputShape: [150, 150, 0]),
            "InceptionV3 takes images of 1 to 16 channels; received (150, 150, 0)"),
        Misfit(
            .resNet50, BaseOptions(includeTop: false, inputShape: [64, 64, 1]),
            """
            images of shape (64, 64, 1) cannot be turned from RGB to BGR: three channels are needed. \
            Bring the images to RGB, or leave the preprocessing out
            """),
        Misfit(.resNet50, BaseOptions(classes: 0), "ResNet50 can have 1 to 100000 classes; received 0"),
        Misfit(
            .resNet50, BaseOptions(weights: .imagenet, classes: 2),
            """
            the published top of ResNet50 has 1000 classes; received 2. \
            Leave the top out and put a head of your own on the features
            """),
        Misfit(
            .resNet50, BaseOptions(weights: .file("w.h5"), classifierActivation: .relu),
            "with trained weights the top of ResNet50 ends in softmax or linear; received relu"),
        Misfit(
            .vgg16, BaseOptions(weights: .imagenet, inputShape: [150, 150, 3]),
            """
            with its published top VGG16 takes images of (224, 224, 3) alone; received (150, 150, 3). \
            Leave the top out for another size
            """),
    ])
    func optionsThatDoNotFitAreExplained(misfit: Misfit) {
        let error = #expect(throws: GraftError.self) { try misfit.base.model(misfit.options) }
        #expect(error?.message == misfit.message)
    }

    struct Misfit: Sendable, CustomTestStringConvertible {
        let base: Base
        let options: BaseOptions
        let message: String
        var testDescription: String { message }

        init(_ base: Base, _ options: BaseOptions, _ message: String) {
            (self.base, self.options, self.message) = (base, options, message)
        }
    }

    @Test func mobileNetV2HasTheWidthsThatArePublished() throws {
        #expect(try MobileNetV2(alpha: 0.35, includeTop: false).countParameters() == 410_208)
        #expect(try Base.mobileNetV2(alpha: 1.4).id == "mobilenet-v2-1.4")
        #expect(try Base.mobileNetV2(alpha: 1).id == "mobilenet-v2")
        let error = #expect(throws: GraftError.self) { try MobileNetV2(alpha: 0.4) }
        #expect(error?.message == "MobileNetV2 has the widths 0.35, 0.5, 0.75, 1.0, 1.3 and 1.4; received 0.4")
    }

    /// Keras takes the weights of the images' size where they are published, else those of 224 × 224.
    @Test func mobileNetsHaveWeightsForEachSize() throws {
        func name(_ base: Base, _ shape: Shape?, top: Bool = false) throws -> String {
            try base.weights(includeTop: top, inputShape: shape).name
        }
        let narrow = try Base.mobileNetV2(alpha: 0.35)
        let start = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_"
        #expect(try name(narrow, [96, 96, 3]) == start + "96_no_top.h5")
        #expect(try name(narrow, [160, 160, 3], top: true) == start + "160.h5")
        for shape: Shape? in [nil, [224, 224, 3], [100, 100, 3], [96, 128, 3]] {
            #expect(try name(narrow, shape) == start + "224_no_top.h5")
        }
        #expect(try name(.mobileNet, [128, 128, 3]) == "mobilenet_1_0_128_tf_no_top.h5")
        #expect(try name(.mobileNet, [96, 96, 3]) == "mobilenet_1_0_224_tf_no_top.h5")
        #expect(try name(.resNet50, [96, 96, 3]) == name(.resNet50, nil))
    }

    @Test func greyImagesCanBeTrainedFromRandomWeights() throws {
        let model = try InceptionV3(includeTop: false, inputShape: [75, 75, 1])
        #expect(try model.layer(named: "conv2d").variables.map(\.shape) == [[3, 3, 1, 32]])
    }
}
