import Foundation
import Graft
import Testing

/// What `Precision.automatic` takes, by what it costs.
@Suite struct SettledPrecisionTests {
    @Test(
        arguments: [
            (Precision.automatic, 0.14, Precision.float32, .distance), (.automatic, 0.0175, .bfloat16, .processor),
            (.automatic, nil, .bfloat16, .processor), (.bfloat16, 0.14, .bfloat16, .asked),
            (.bfloat16, 0.01, .bfloat16, .asked), (.automatic, 0, .float32, .same), (.bfloat16, 0, .float32, .same),
        ] as [(Precision, Double?, Precision, SettledPrecision.Reason)])
    func muchLossIsTakenOnlyWhereItWasAskedFor(
        choice: Precision, distance: Double?, taken: Precision, reason: SettledPrecision.Reason
    ) {
        let settled = SettledPrecision(choice, distance: distance)
        #expect(settled.precision == taken && settled.reason == reason)
        #expect(settled.distance == (reason == .same ? nil : distance))
        #expect(settled.isFar == (distance == 0.14))
    }

    @Test func nothingIsMeasuredInFloat32OrWhereARunGoesOn() throws {
        struct Measured: Error {}
        let float32 = try SettledPrecision(.float32) { throw Measured() }
        #expect(float32.precision == .float32 && float32.reason == .asked)
        let resumed = try SettledPrecision(.automatic, resumed: .float32) { throw Measured() }
        #expect(resumed.precision == .float32 && resumed.reason == .resumed)
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
        #expect(SettledPrecision(.automatic, distance: cost).precision == .float32)
    }
}
