/// What a JPEG 2000 stream says about itself. Source: ISO/IEC 15444-1, A.5.1.
enum JPEG2000 {
    /// The bits of the first component's values; `nil` where no stream begins in these bytes.
    static func precision(of bytes: [UInt8]) -> Int? {
        // The start of the stream is followed by the sizes; 36 bytes on, and two for the number of components, comes the first one's.
        let start: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51]
        guard bytes.count > 42,
            let place = (0..<bytes.count - 42).first(where: {
                bytes[$0] == 0xFF && bytes[$0..<$0 + 4].elementsEqual(start)
            })
        else { return nil }
        return Int(bytes[place + 42] & 0x7F) + 1
    }
}
