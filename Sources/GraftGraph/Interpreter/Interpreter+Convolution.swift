extension Convolution {
    /// `result[o] += input[i] · kernel[k]` over all taps.
    func forward(_ input: ReferenceArray, _ kernel: ReferenceArray, result: Shape) -> ReferenceArray {
        var output = ReferenceArray(shape: result)
        forEachTap(input: input.shape, kernel: kernel.shape, output: result) { i, k, o in
            output.values[o] += input.values[i] * kernel.values[k]
        }
        return output
    }

    /// `result[i] += outputGradient[o] · kernel[k]` over all taps.
    func inputGradient(_ outputGradient: ReferenceArray, _ kernel: ReferenceArray, input: Shape) -> ReferenceArray {
        var gradient = ReferenceArray(shape: input)
        forEachTap(input: input, kernel: kernel.shape, output: outputGradient.shape) { i, k, o in
            gradient.values[i] += outputGradient.values[o] * kernel.values[k]
        }
        return gradient
    }

    /// `result[k] += input[i] · outputGradient[o]` over all taps.
    func kernelGradient(_ input: ReferenceArray, _ outputGradient: ReferenceArray, kernel: Shape) -> ReferenceArray {
        var gradient = ReferenceArray(shape: kernel)
        forEachTap(input: input.shape, kernel: kernel, output: outputGradient.shape) { i, k, o in
            gradient.values[k] += input.values[i] * outputGradient.values[o]
        }
        return gradient
    }

    /// Visits every multiplication of the convolution: the positions of its input, kernel and output elements.
    private func forEachTap(input: Shape, kernel: Shape, output: Shape, _ body: (Int, Int, Int) -> Void) {
        for n in 0..<output[0] {
            for y in 0..<output[1] {
                for x in 0..<output[2] {
                    for ky in 0..<kernel[0] {
                        for kx in 0..<kernel[1] {
                            let row = y * strides.height + ky * dilation.height - padding.top
                            let column = x * strides.width + kx * dilation.width - padding.left
                            guard (0..<input[1]).contains(row), (0..<input[2]).contains(column) else { continue }
                            forEachChannelPair(
                                kernel,
                                atInput: ((n * input[1] + row) * input[2] + column) * input[3],
                                atKernel: (ky * kernel[1] + kx) * kernel[2] * kernel[3],
                                atOutput: ((n * output[1] + y) * output[2] + x) * output[3], body)
                        }
                    }
                }
            }
        }
    }

    /// Visits the channel pairs of one tap; output channel `o` reads the input channels of its group only.
    private func forEachChannelPair(
        _ kernel: Shape, atInput: Int, atKernel: Int, atOutput: Int, _ body: (Int, Int, Int) -> Void
    ) {
        let outputsPerGroup = kernel[3] / groups
        for i in 0..<kernel[2] {
            for o in 0..<kernel[3] {
                let group = o / outputsPerGroup
                body(atInput + group * kernel[2] + i, atKernel + i * kernel[3] + o, atOutput + o)
            }
        }
    }
}

extension Interpreter {
    /// `result[r, c] = Σ left[r, k] · right[k, c]`, after the transpositions.
    static func matrixProduct(
        _ left: ReferenceArray, _ right: ReferenceArray, _ transposeLeft: Bool, _ transposeRight: Bool, result: Shape
    ) -> ReferenceArray {
        var product = ReferenceArray(shape: result)
        let inner = left.shape[transposeLeft ? 0 : 1]
        for row in 0..<result[0] {
            for column in 0..<result[1] {
                var sum = 0.0
                for k in 0..<inner {
                    let l = transposeLeft ? k * result[0] + row : row * inner + k
                    let r = transposeRight ? column * inner + k : k * result[1] + column
                    sum += left.values[l] * right.values[r]
                }
                product.values[row * result[1] + column] = sum
            }
        }
        return product
    }
}

extension Epilogue {
    /// `activation(result + bias + addend)`
    func applied(to result: ReferenceArray, _ operands: ArraySlice<ReferenceArray>) -> ReferenceArray {
        var result = result
        for operand in operands {
            let addend = operand.broadcast(to: result.shape)
            for position in result.values.indices { result.values[position] += addend.values[position] }
        }
        if let activation { result.values = result.values.map(activation.callAsFunction) }
        return result
    }
}
