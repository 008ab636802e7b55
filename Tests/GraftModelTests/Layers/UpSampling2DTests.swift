import GraftModel
import GraftTestSupport
import Testing

@Suite struct UpSampling2DTests {
    @Test func interpolationsWithoutAKerasNameAreRefused() {
        let error = #expect(throws: GraftError.self) {
            try UpSampling2D(interpolation: .bilinearAntialiased)(Input(shape: [3, 3, 1]))
        }
        #expect(
            error?.message.contains("interpolation must be nearest or bilinear, is bilinearAntialiased") == true,
            "\(error?.message ?? "")")
        let other = #expect(throws: GraftError.self) {
            try LayerRegistry.standard.layer("UpSampling2D", ["name": "up", "interpolation": "bicubic"])
        }
        #expect(
            other?.message == "UpSampling2D up: the argument interpolation must be nearest or bilinear, is \"bicubic\"")
    }

    @Test func sizesStayInRange() {
        for size in [Size2D(0, 1), Size2D(1 << 24, 1 << 24)] {
            #expect(throws: GraftError.self) { try UpSampling2D(size: size)(Input(shape: [1 << 20, 1 << 10, 1])) }
        }
    }
}
