import Dispatch

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Initializer {
    /// The initial value: a function of the shape and the seed alone.
    package func tensor(of shape: Shape, seed placed: InitializerStream) -> Tensor {
        let seed = seed.map { InitializerStream(key: UInt64(bitPattern: Int64($0)), stream: 0) } ?? placed
        let random = RandomStream(key: seed.key, stream: seed.stream)
        switch kind {
        case .zeros: return Tensor(zeros: shape)
        case .ones: return Tensor(repeating: 1, shape: shape)
        case .constant(let value): return Tensor(repeating: Float(value), shape: shape)
        case .randomNormal(let mean, let deviation):
            return random.tensor(of: shape) { Float(mean + deviation * NormalQuantile.value(at: $0)) }
        case .randomUniform(let minimum, let maximum):
            return random.uniformTensor(of: shape, from: minimum, to: maximum)
        case .truncatedNormal(let mean, let deviation):
            return random.tensor(of: shape) { Float(mean + deviation * NormalQuantile.truncatedValue(at: $0)) }
        case .varianceScaling(let scaling, _): return scaling.tensor(of: shape, from: random)
        case .orthogonal(let gain): return Self.orthogonal(shape, gain: gain, from: random)
        }
    }
}

extension Initializer {
    /// Normal vectors, each made orthogonal to those before it, which is a matrix's QR decomposition with a positive diagonal.
    private static func orthogonal(_ shape: Shape, gain: Double, from random: RandomStream) -> Tensor {
        let columns = shape.rank > 0 ? shape.last : 1
        let rows = shape.elementCount / max(columns, 1)
        let (length, count) = (max(rows, columns), min(rows, columns))
        let normal = random.tensor(of: [count, length]) { Float(NormalQuantile.value(at: $0)) }.scalars
        var vectors = (0..<count).map { normal[$0 * length..<($0 + 1) * length].map(Double.init) }
        for index in vectors.indices {
            // Twice, as rounding leaves something of the others after the first time.
            for _ in 0..<2 {
                for other in 0..<index {
                    let share = zip(vectors[index], vectors[other]).reduce(0) { $0 + $1.0 * $1.1 }
                    for place in 0..<length { vectors[index][place] -= share * vectors[other][place] }
                }
            }
            let size = vectors[index].reduce(0) { $0 + $1 * $1 }.squareRoot()
            for place in 0..<length { vectors[index][place] /= max(size, 1e-30) }
        }
        return Tensor(
            (0..<shape.elementCount).map { element in
                let (row, column) = (element / columns, element % columns)
                return Float(gain * (rows < columns ? vectors[row][column] : vectors[column][row]))
            }, shape: shape)
    }
}

extension VarianceScaling {
    /// The standard deviation of a standard normal distribution cut at ±2.
    static let truncatedDeviation = 0.879_625_661_034_239_78

    fileprivate func tensor(of shape: Shape, from random: RandomStream) -> Tensor {
        let variance = scale / max(1, fan(of: shape))
        let deviation = variance.squareRoot()
        switch distribution {
        case .uniform:
            let limit = (3 * variance).squareRoot()
            return random.uniformTensor(of: shape, from: -limit, to: limit)
        case .untruncatedNormal:
            return random.tensor(of: shape) { Float(deviation * NormalQuantile.value(at: $0)) }
        case .truncatedNormal:
            let wider = deviation / Self.truncatedDeviation
            return random.tensor(of: shape) { Float(wider * NormalQuantile.truncatedValue(at: $0)) }
        }
    }

    /// The fan that the mode asks for; Keras's `compute_fans`.
    func fan(of shape: Shape) -> Double {
        let fanIn: Double
        let fanOut: Double
        switch shape.rank {
        case _ where fans != nil: (fanIn, fanOut) = (Double(fans?.inputs ?? 1), Double(fans?.outputs ?? 1))
        case 0: (fanIn, fanOut) = (1, 1)
        case 1: (fanIn, fanOut) = (Double(shape[0]), Double(shape[0]))
        default:
            let field = shape.dimensions.dropLast(2).reduce(1.0) { $0 * Double($1) }
            (fanIn, fanOut) = (field * Double(shape[shape.rank - 2]), field * Double(shape.last))
        }
        switch mode {
        case .fanIn: return fanIn
        case .fanOut: return fanOut
        case .fanAverage: return (fanIn + fanOut) / 2
        }
    }
}

extension RandomStream {
    /// A tensor whose element i is a function of word i of the stream; a large one is shared out among the processors.
    @inline(__always)  // so that the element's formula is part of the loop
    fileprivate func tensor(of shape: Shape, _ element: @Sendable (UInt32) -> Float) -> Tensor {
        Tensor(uninitialized: shape) { memory in
            // Every part is written by one thread alone.
            nonisolated(unsafe) let buffer = memory
            let part = 1 << 20
            DispatchQueue.concurrentPerform(iterations: (buffer.count + part - 1) / part) { index in
                let range = index * part..<min((index + 1) * part, buffer.count)
                for start in stride(from: range.lowerBound, to: range.upperBound, by: 4) {
                    let words = words(block: UInt64(start) / 4)
                    buffer[start] = element(words.0)
                    if start + 1 < buffer.count { buffer[start + 1] = element(words.1) }
                    if start + 2 < buffer.count { buffer[start + 2] = element(words.2) }
                    if start + 3 < buffer.count { buffer[start + 3] = element(words.3) }
                }
            }
        }
    }

    fileprivate func uniformTensor(of shape: Shape, from minimum: Double, to maximum: Double) -> Tensor {
        let (base, span) = (Float(minimum), Float(maximum - minimum) * 0x1p-24)
        return tensor(of: shape) { base + span * Float($0 >> 8) }
    }
}

/// The normal distribution's quantile function, so that each number takes one random word and no rejection.
///
/// Source: M. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37
/// (1988), doi:10.2307/2347330, routine PPND16; relative error about 1e-16.
enum NormalQuantile {
    /// The share of a standard normal distribution below −2.
    private static let tail = 0.022_750_131_948_179_2

    /// The standard normal number for a random word.
    static func value(at word: UInt32) -> Double { quantile((Double(word) + 0.5) * 0x1p-32) }

    /// The number of a standard normal distribution cut at ±2 for a random word.
    static func truncatedValue(at word: UInt32) -> Double {
        quantile(tail + (1 - 2 * tail) * (Double(word) + 0.5) * 0x1p-32)
    }

    /// The number below which the share `probability` of a standard normal distribution lies.
    static func quantile(_ probability: Double) -> Double {
        let offset = probability - 0.5
        if abs(offset) <= 0.425 {
            let r = 0.180625 - offset * offset
            return offset * ratio(central, at: r)
        }
        let r = (-log(min(probability, 1 - probability))).squareRoot()
        let value = r <= 5 ? ratio(middle, at: r - 1.6) : ratio(far, at: r - 5)
        return offset < 0 ? -value : value
    }

    private typealias Coefficients = (numerator: [Double], denominator: [Double])

    private static func ratio(_ coefficients: Coefficients, at x: Double) -> Double {
        polynomial(coefficients.numerator, x) / polynomial(coefficients.denominator, x)
    }

    private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
        coefficients.reversed().reduce(0) { $0 * x + $1 }
    }

    private static let central: Coefficients = (
        [
            3.387_132_872_796_366_608, 133.141_667_891_784_377_45, 1_971.590_950_306_551_442_7,
            13_731.693_765_509_461_125, 45_921.953_931_549_871_457, 67_265.770_927_008_700_853,
            33_430.575_583_588_128_105, 2_509.080_928_730_122_672_7,
        ],
        [
            1, 42.313_330_701_600_911_252, 687.187_007_492_057_908_3, 5_394.196_021_424_751_107_7,
            21_213.794_301_586_595_867, 39_307.895_800_092_710_61, 28_729.085_735_721_942_674,
            5_226.495_278_852_854_561,
        ]
    )

    private static let middle: Coefficients = (
        [
            1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_9, 5.769_497_221_460_691_405_5,
            3.647_848_324_763_204_605_04, 1.270_458_252_452_368_382_58, 0.241_780_725_177_450_611_77,
            0.022_723_844_989_269_184_583_9, 7.745_450_142_783_414_076_4e-4,
        ],
        [
            1, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_4, 0.689_767_334_985_100_004_55,
            0.148_103_976_427_480_074_59, 0.015_198_666_563_616_457_152, 5.475_938_084_995_344_946e-4,
            1.050_750_071_644_416_843_24e-9,
        ]
    )

    private static let far: Coefficients = (
        [
            6.657_904_643_501_103_777_2, 5.463_784_911_164_114_369_9, 1.784_826_539_917_291_335_8,
            0.296_560_571_828_504_891_23, 0.026_532_189_526_576_123_093, 1.242_660_947_388_078_438_6e-3,
            2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7,
        ],
        [
            1, 0.599_832_206_555_887_937_69, 0.136_929_880_922_735_805_31, 0.014_875_361_290_850_615_025,
            7.868_691_311_456_132_591e-4, 1.846_318_317_510_054_681_8e-5, 1.421_511_758_316_445_888_7e-7,
            2.044_263_103_389_939_785_64e-15,
        ]
    )
}
