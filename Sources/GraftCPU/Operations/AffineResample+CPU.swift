extension AffineResample: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (reads, result) = (try compiler.sources(of: value), compiler.shape(value))
        let images = compiler.shape(compiler.graph[value].operands[0])
        try compiler.add(value, reads: reads) { target in
            AffineResampleStep(
                reading: self, image: Size2D(images[1], images[2]), result: result, source: reads[0],
                transforms: reads[1], target: target)
        }
    }
}

extension AffineResampleGradient: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (reads, result) = (try compiler.sources(of: value), compiler.shape(value))
        try compiler.add(value, reads: reads) { target in
            AffineResampleGradientStep(
                reading: reading, input: input, result: result, source: reads[0], transforms: reads[1], target: target)
        }
    }
}

/// Pixels made of up to four others; threads divide the rows of the results.
private struct AffineResampleStep: Step {
    let reading: AffineResample
    /// The height and width of what is read.
    let image: Size2D
    let result: Shape
    let source: BufferID
    let transforms: BufferID
    let target: BufferID

    var implementation: String { "graft:affine" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, transforms, target) = (memory[source], memory[transforms], memory[target])
        let (height, width, channels) = (result[1], result[2], result[3])
        try inParallel(rows: result[0] * height, ofElements: width * channels, threads: memory.threads) { range in
            for row in range {
                let (example, y) = (row / height, row % height)
                let images = source + example * image.height * image.width * channels
                for x in 0..<width {
                    let taps = reading.taps(x: x, y: y, { Double(transforms[example * 6 + $0]) }, image)
                    let pixel = target + (row * width + x) * channels
                    pixel.update(repeating: 0, count: channels)
                    taps.forEach { column, line, weight in
                        let weight = Float(weight)
                        guard column >= 0, line >= 0 else {
                            for channel in 0..<channels { pixel[channel] += weight * reading.fillValue }
                            return
                        }
                        let other = images + (line * image.width + column) * channels
                        for channel in 0..<channels { pixel[channel] += weight * other[channel] }
                    }
                }
            }
        }
    }
}

/// Gradients given back to the pixels that were read; threads divide the images, so that sums have one order.
private struct AffineResampleGradientStep: Step {
    let reading: AffineResample
    /// The height and width of what was read.
    let input: Size2D
    let result: Shape
    let source: BufferID
    let transforms: BufferID
    let target: BufferID

    var implementation: String { "graft:affine" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, transforms, target) = (memory[source], memory[transforms], memory[target])
        let (channels, size) = (result[3], reading.size)
        let pixels = input.height * input.width * channels
        try inParallel(rows: result[0], ofElements: pixels, threads: memory.threads) { range in
            for example in range {
                let images = target + example * pixels
                images.update(repeating: 0, count: pixels)
                for y in 0..<size.height {
                    for x in 0..<size.width {
                        let taps = reading.taps(x: x, y: y, { Double(transforms[example * 6 + $0]) }, input)
                        let gradient = source + ((example * size.height + y) * size.width + x) * channels
                        taps.forEach { column, line, weight in
                            guard column >= 0, line >= 0 else { return }
                            let other = images + (line * input.width + column) * channels
                            for channel in 0..<channels { other[channel] += Float(weight) * gradient[channel] }
                        }
                    }
                }
            }
        }
    }
}
