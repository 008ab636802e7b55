import Foundation

/// Pictures drawn for tests.
enum Picture {
    /// A BMP file of 24 bits a pixel, one colour with a gradient that differs from picture to picture.
    static func bmp(red: UInt8, green: UInt8, blue: UInt8, number: Int, size: Int = 16) -> Data {
        let rowByteCount = (3 * size + 3) / 4 * 4
        var bytes: [UInt8] = Array("BM".utf8)
        func append(_ value: Int, _ byteCount: Int) {
            for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
        }
        for value in [54 + rowByteCount * size, 0, 54, 40, size, size] { append(value, 4) }
        append(1, 2)
        append(24, 2)
        for value in [0, rowByteCount * size, 2835, 2835, 0, 0] { append(value, 4) }
        for row in 0..<size {
            for column in 0..<size {
                let shade = UInt8(truncatingIfNeeded: (row + column + 3 * number) % 32)
                bytes += [blue ^ shade, green ^ shade, red ^ shade]
            }
            append(0, rowByteCount - 3 * size)
        }
        return Data(bytes)
    }
}

extension TemporaryFolder {
    /// Draws so many pictures of each class below a folder.
    func drawPictures(_ counts: KeyValuePairs<String, Int>, below path: String) throws {
        let colours: [(UInt8, UInt8, UInt8)] = [(224, 32, 32), (32, 32, 224), (32, 224, 32)]
        for (label, (name, count)) in counts.enumerated() {
            let (red, green, blue) = colours[label % colours.count]
            for number in 0..<count {
                let picture = Picture.bmp(red: red, green: green, blue: blue, number: number)
                try write(picture, to: "\(path)/\(name)/\(number).bmp")
            }
        }
    }
}
