import Foundation
import Graft
import Testing

@testable import GraftCommand

/// What `--precision auto` takes, by what it costs.
@Suite struct SettledPrecisionTests {
    @Test func autoTakesFloat32WhereMuchIsLost() {
        let much = SettledPrecision(.auto, distance: 0.14)
        #expect(much.precision == .float32)
        #expect(
            much.reason
                == "in bfloat16, which this processor has instructions for, this network's features would be off by 14.0 % on "
                + "a few of the images; --precision bfloat16 takes it all the same")
        let little = SettledPrecision(.auto, distance: 0.0175)
        #expect(little.precision == .bfloat16)
        #expect(
            little.reason
                == "this processor has instructions for it; --precision float32 gives Keras's numbers; features are off by "
                + "1.8 % on a few of the images")
        #expect(SettledPrecision(.auto, distance: nil).precision == .bfloat16)
    }

    @Test func whatWasAskedForIsTakenWithAWarning() {
        let much = SettledPrecision(.bfloat16, distance: 0.14)
        #expect(much.precision == .bfloat16)
        #expect(
            much.reason
                == "as asked, though this network's features are off by 14.0 % on a few of the images; --precision float32 has "
                + "Keras's numbers")
        #expect(SettledPrecision(.bfloat16, distance: 0.01).reason == "as asked")
    }

    @Test func nothingIsMeasuredInFloat32OrWhereARunGoesOn() throws {
        struct Measured: Error {}
        let float32 = try SettledPrecision(.float32, resumed: nil) { throw Measured() }
        #expect(float32.precision == .float32 && float32.reason == "as asked")
        let resumed = try SettledPrecision(.auto, resumed: .float32) { throw Measured() }
        #expect(resumed.precision == .float32 && resumed.reason == "as the run was begun")
    }

    private static let mobileNet = shared("weights/mobilenet_v2-1.0-224-top.h5")
    private static let photos = shared("images/cats-and-dogs/validation")

    private static func shared(_ name: String) -> String? {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/").dropFirst()
        let folder = ProcessInfo.processInfo.environment["GRAFT_SHARED"] ?? "\(root)/../shared"
        return FileManager.default.fileExists(atPath: "\(folder)/\(name)") ? "\(folder)/\(name)" : nil
    }

    /// Measured: 14 % at its end.
    @Test(
        .enabled(if: Precision.isBFloat16Supported, "this processor has no instructions for bfloat16"),
        .enabled(if: mobileNet != nil && photos != nil, "needs ../shared/weights and ../shared/images"))
    func publishedMobileNetV2LosesMuch() throws {
        let model = try MobileNetV2(
            weights: .file(#require(Self.mobileNet)), includeTop: false, inputShape: [160, 160, 3])
        let images = try ImageFolder(
            at: #require(Self.photos), rule: ImageRule(height: 160, width: 160))
        let cost = try #require(try model.costOfBFloat16(on: images.training))
        #expect((0.08...0.25).contains(cost), "\(cost)")
        #expect(SettledPrecision(.auto, distance: cost).precision == .float32)
    }
}
