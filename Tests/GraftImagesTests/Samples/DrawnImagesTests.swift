import GraftGraph
import Synchronization
import Testing

@testable import GraftImages

@Suite("Images that Graft draws")
struct DrawnImagesTests {
    @Test("an image is square, in colour, and as large as asked", arguments: DrawnImages.all, [16, 33])
    func hasTheShape(_ set: DrawnImages, size: Int) throws {
        for classNumber in set.classNames.indices {
            let image = try set.image(class: classNumber, index: 1, size: size)
            #expect((image.height, image.width, image.channels) == (size, size, 3))
            #expect(Set(image.pixels).count > 16, "\(set.classNames[classNumber]) is nearly empty")
        }
    }

    /// What was drawn when the sets were made, in builds with and without optimization. A change here is a change for
    /// users: the changelog has to say that the sets are others now.
    @Test(
        "the pixels are those of every machine and every build",
        arguments: [("leaves", 0x10AC_4150_60F6_A49D), ("cells", 0x696B_0194_7399_B78A)] as [(String, UInt64)])
    func drawsTheSameBits(_ id: String, hash: UInt64) throws {
        let set = try DrawnImages.named(id)
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for classNumber in set.classNames.indices {
            for index in 1...2 {
                // FNV-1a.
                for pixel in try set.image(class: classNumber, index: index, seed: 5, size: 24).pixels {
                    sum = (sum ^ UInt64(pixel)) &* 0x100_0000_01B3
                }
            }
        }
        #expect(sum == hash, "\(String(sum, radix: 16))")
    }

    @Test("seed, split, index and class each change the image; the same ones do not", arguments: DrawnImages.all)
    func dependsOnItsArguments(_ set: DrawnImages) throws {
        let image = try set.image(class: 1, index: 3, split: .train, seed: 4, size: 24)
        #expect(try set.image(class: 1, index: 3, split: .train, seed: 4, size: 24) == image)
        #expect(try set.image(class: 0, index: 3, split: .train, seed: 4, size: 24) != image)
        #expect(try set.image(class: 1, index: 2, split: .train, seed: 4, size: 24) != image)
        #expect(try set.image(class: 1, index: 3, split: .validation, seed: 4, size: 24) != image)
        #expect(try set.image(class: 1, index: 3, split: .train, seed: 5, size: 24) != image)
    }

    @Test("at half the size the same scene appears", arguments: DrawnImages.all)
    func scales(_ set: DrawnImages) throws {
        for classNumber in set.classNames.indices {
            let small = try set.image(class: classNumber, index: 1, size: 32)
            let large = try set.image(class: classNumber, index: 1, size: 64)
            let other = try set.image(class: classNumber, index: 2, size: 64)
            // Noise of the sensor and thin lines differ; another scene differs far more.
            #expect(
                Self.difference(small, Self.halved(large)) * 2 < Self.difference(small, Self.halved(other)),
                "\(set.classNames[classNumber])")
        }
    }

    @Test("what there is not is refused in words")
    func refuses() {
        let cases: [(message: String, draw: () throws -> DecodedImage)] = [
            ("leaves has no class 5; its classes are 0 to 4", { try DrawnImages.leaves.image(class: 5, index: 1) }),
            ("leaves has no class -1; its classes are 0 to 4", { try DrawnImages.leaves.image(class: -1, index: 1) }),
            (
                "there is no image 0; images are numbered 1 to 100000",
                { try DrawnImages.cells.image(class: 0, index: 0) }
            ),
            (
                "images of 8 × 8 pixels cannot be drawn; give a size of 16 to 1024",
                { try DrawnImages.cells.image(class: 0, index: 1, size: 8) }
            ),
        ]
        for (message, draw) in cases {
            let error = #expect(throws: GraftError.self) { try draw() }
            #expect(error?.code == .argument)
            #expect(error?.message == message)
        }
    }

    @Test("a set is found by its name, and a mistyped name is understood")
    func findsSets() throws {
        #expect(try DrawnImages.named("leaves").id == "leaves")
        #expect(try DrawnImages.named("Cells").id == "cells")
        let sets =
            "Graft draws leaves (leaves of five trees, on the ground), "
            + "cells (white blood cells of five kinds, under a microscope)"
        let near = #expect(throws: GraftError.self) { try DrawnImages.named("leafs") }
        #expect(near?.message == "there is no sample set called “leafs”; did you mean leaves? \(sets)")
        let far = #expect(throws: GraftError.self) { try DrawnImages.named("flowers") }
        #expect(far?.message == "there is no sample set called “flowers”. \(sets)")
    }

    /// The mean of both images' differences, pixel by pixel.
    private static func difference(_ first: DecodedImage, _ second: DecodedImage) -> Double {
        let sum = zip(first.pixels, second.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(first.pixels.count)
    }

    /// Every four pixels become their mean.
    private static func halved(_ image: DecodedImage) -> DecodedImage {
        let (side, row) = (image.width / 2, image.width * 3)
        let pixels = (0..<(side * side * 3)).map { position in
            let (pixel, channel) = (position / 3, position % 3)
            let corner = pixel / side * 2 * row + pixel % side * 6 + channel
            let sum = [0, 3, row, row + 3].reduce(0) { $0 + Int(image.pixels[corner + $1]) }
            return UInt8(sum / 4)
        }
        return DecodedImage(height: side, width: side, channels: 3, pixels: pixels)
    }
}

/// Nothing but shape and texture tells the classes apart: means and deviations of the colours do not.
@Suite("No shortcut through drawn images")
struct DrawnImagesShortcutTests {
    /// Nearest centroid on the mean and the standard deviation of red, green and blue, each scaled to a variance of one.
    private static func accuracy(training: [[[Double]]], test: [[[Double]]]) -> Double {
        let all = training.flatMap { $0 }
        let means = all[0].indices.map { column in all.reduce(0) { $0 + $1[column] } / Double(all.count) }
        let deviations = all[0].indices.map { column in
            (all.reduce(0) { $0 + ($1[column] - means[column]) * ($1[column] - means[column]) } / Double(all.count))
                .squareRoot()
        }
        func scaled(_ row: [Double]) -> [Double] { row.indices.map { (row[$0] - means[$0]) / deviations[$0] } }
        let centroids = training.map { rows in
            rows[0].indices.map { column in rows.reduce(0) { $0 + scaled($1)[column] } / Double(rows.count) }
        }
        func nearest(_ row: [Double]) -> Int? {
            centroids.indices.min { distance(scaled(row), centroids[$0]) < distance(scaled(row), centroids[$1]) }
        }
        func distance(_ left: [Double], _ right: [Double]) -> Double {
            zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let right = test.enumerated().reduce(0) { sum, rows in
            sum + rows.element.count { nearest($0) == rows.offset }
        }
        return Double(right) / Double(test.reduce(0) { $0 + $1.count })
    }

    private static func statistics(of image: DecodedImage) -> [Double] {
        (0..<3).flatMap { channel -> [Double] in
            let values = stride(from: channel, to: image.pixels.count, by: 3).map { Double(image.pixels[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            return [mean, variance.squareRoot()]
        }
    }

    private static func rows(_ set: DrawnImages, _ split: DrawnImages.Split, count: Int) -> [[[Double]]] {
        let rows = Mutex([[[Double]]](repeating: [], count: set.classNames.count))
        ParallelWork.perform(count: set.classNames.count * count, threads: ParallelWork.coreCount) { number in
            let (classNumber, index) = (number / count, number % count + 1)
            guard let image = try? set.image(class: classNumber, index: index, split: split, size: 24) else { return }
            rows.withLock { $0[classNumber].append(statistics(of: image)) }
        }
        return rows.withLock { $0 }
    }

    @Test(
        "means and deviations of the colours guess less than 15 points better than chance", arguments: DrawnImages.all)
    func hasNoShortcut(_ set: DrawnImages) {
        let training = Self.rows(set, .train, count: 24)
        let test = Self.rows(set, .validation, count: 24)
        #expect(training.allSatisfy { $0.count == 24 } && test.allSatisfy { $0.count == 24 })
        let accuracy = Self.accuracy(training: training, test: test)
        #expect(accuracy < 1 / Double(set.classNames.count) + 0.15, "\(accuracy)")
        // The measure itself: were each class a little brighter than the one before, it would find out.
        func brightened(_ rows: [[[Double]]]) -> [[[Double]]] {
            rows.enumerated().map { number, rows in
                rows.map { row in row.indices.map { $0.isMultiple(of: 2) ? row[$0] + 100 * Double(number) : row[$0] } }
            }
        }
        #expect(Self.accuracy(training: brightened(training), test: brightened(test)) > 0.7)
    }
}
