import Foundation
import Testing

/// Images whose only sign lies at their edge: what a crop cuts off, nothing else can be learned from.
@Suite(.serialized) struct EdgeSignTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        for part in ["train", "validation"] {
            for number in 0..<40 {
                for (label, colour) in [("red", (220, 40, 40)), ("blue", (40, 40, 220))] as [(String, (Int, Int, Int))]
                {
                    let seed = number + (part == "train" ? 0 : 1000) + (label == "red" ? 0 : 500)
                    try folder.write(Self.image(seed, colour), to: "signs/\(part)/\(label)/\(number).bmp")
                }
            }
        }
    }

    /// 160 × 96 pixels of grey noise, with a disc of this colour within the outer eighth on the left or the right.
    private static func image(_ seed: Int, _ colour: (Int, Int, Int)) -> Data {
        let (width, height) = (160, 96)
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % bound
        }
        let (x, y) = (random(2) == 0 ? 10 : width - 11, 10 + random(height - 20))
        var bytes = Array("BM".utf8)
        func append(_ value: Int, _ byteCount: Int) {
            for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
        }
        for value in [54 + 3 * width * height, 0, 54, 40, width, height] { append(value, 4) }
        append(1, 2)
        append(24, 2)
        for value in [0, 3 * width * height, 2835, 2835, 0, 0] { append(value, 4) }
        for row in 0..<height {
            for column in 0..<width {
                let isSign = (row - y) * (row - y) + (column - x) * (column - x) <= 64
                let grey = 90 + random(60)
                let (red, green, blue) = isSign ? colour : (grey, grey, grey)
                bytes += [UInt8(blue), UInt8(green), UInt8(red)]
            }
        }
        return Data(bytes)
    }

    private func accuracy(_ options: String...) throws -> Double {
        let training = try tool.run(["train", "signs", "--output", "signs.keras", "--json"] + options)
        #expect(training.status == 0, "\(training.errors)")
        let evaluation = try tool.run(["evaluate", "signs.keras", "signs/validation", "--json"])
        return try #require(JSONLine(evaluation.output)?.number("accuracy"), "\(evaluation.output)")
    }

    @Test func nothingIsCutOffUnlessACropIsAskedFor() throws {
        #expect(try accuracy() >= 0.95)
        #expect(try accuracy("--fit", "pad") >= 0.95)
        // Chance is 0.5, with a standard deviation of 0.056 for 80 images.
        #expect((0.3...0.7).contains(try accuracy("--fit", "crop")))
        let audit = try tool.run(["audit", "signs"])
        #expect(
            audit.output.contains(
                "not square: 160 images, of which --fit crop would cut off 40 % on average and 40 % at most; --fit stretch, the "
                    + "default, and pad keep all"), "\(audit.output)")
    }
}
