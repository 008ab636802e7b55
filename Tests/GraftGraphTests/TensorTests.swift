import GraftGraph
import Testing

@Suite struct TensorTests {
    @Test func elementsAreRowMajor() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(tensor.count == 6)
        #expect(tensor[4] == 5)
        #expect(tensor.scalars == [1, 2, 3, 4, 5, 6])
    }

    @Test func everyWayToMakeOneFillsIt() {
        #expect(Tensor(zeros: [2, 2]).scalars == [0, 0, 0, 0])
        #expect(Tensor(repeating: 7, shape: [3]).scalars == [7, 7, 7])
        #expect(Tensor(5).shape == [])
        let counted = Tensor(uninitialized: [3]) { buffer in
            for index in buffer.indices { buffer[index] = Float(index) }
        }
        #expect(counted.scalars == [0, 1, 2])
        #expect(Tensor(zeros: [0, 4]).scalars.isEmpty)
    }

    // MARK: bfloat16

    @Test func numbersOfBfloat16TakeTwoBytesAndReadAsFloats() {
        let wide = Tensor([1, -2.5, 0x1.0101p0, .infinity, -0.0], shape: [5])
        let narrow = wide.stored(as: .bfloat16)
        #expect((narrow.byteCount, wide.byteCount) == (10, 20))
        #expect(narrow.elementType == .bfloat16 && narrow.shape == [5])
        #expect(
            narrow.scalars.map(\.bitPattern) == ([1, -2.5, 0x1.02p0, .infinity, -0.0] as [Float]).map(\.bitPattern))
        #expect(narrow[2] == 0x1.02p0)
        #expect(narrow.withUnsafeStoredBytes { Array($0.prefix(4)) } == [0x80, 0x3f, 0x20, 0xc0])
        #expect(narrow.stored(as: .float32).stored(as: .bfloat16) == narrow)
        #expect(narrow == narrow.stored(as: .float32))
        #expect(narrow.hashValue == narrow.stored(as: .float32).hashValue)
        #expect(narrow.reshaped(to: [5, 1]).elementType == .bfloat16)
    }

    @Test func everyWayToMakeOneOfBfloat16FillsIt() {
        #expect(Tensor(zeros: [3], as: .bfloat16).scalars == [0, 0, 0])
        #expect(Tensor(repeating: 0.1, shape: [3], as: .bfloat16).scalars == [0x1.9ap-4, 0x1.9ap-4, 0x1.9ap-4])
        #expect(Tensor(zeros: [0], as: .bfloat16).scalars.isEmpty)
        // Large arrays are new memory of the system.
        #expect(Tensor(zeros: [3 << 20], as: .bfloat16).scalars.allSatisfy { $0 == 0 })
    }

    @Test func aTensorOfBfloat16SharesItsMemoryUntilItIsWrittenTo() {
        var original = Tensor([1, 2, 3], shape: [3]).stored(as: .bfloat16)
        let copy = original
        #expect(original.sharesMemory(with: copy) && !original.isUnshared())
        original.withUnsafeMutableStoredBytes { $0.storeBytes(of: 0x4040, as: UInt16.self) }
        #expect(original.scalars == [3, 2, 3])
        #expect(copy.scalars == [1, 2, 3])
        original.withUnsafeMutableBuffer { $0[1] = 0.1 }
        #expect(original.elementType == .float32)
        #expect(original.scalars == [3, 0.1, 3])
    }

    @Test func aCopyIsUntouchedByWritingToTheOriginal() {
        var original = Tensor([1, 2], shape: [2])
        let copy = original
        original.withUnsafeMutableBuffer { $0[0] = 9 }
        #expect(original.scalars == [9, 2])
        #expect(copy.scalars == [1, 2])
    }

    @Test func aReshapedTensorSharesItsMemoryUntilOneIsWrittenTo() {
        var original = Tensor([1, 2, 3, 4], shape: [4])
        let square = original.reshaped(to: [2, 2])
        let address = { (tensor: Tensor) in tensor.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) } }
        #expect(address(square) == address(original))
        original.withUnsafeMutableBuffer { $0[0] = 9 }
        #expect(square.scalars == [1, 2, 3, 4])
    }

    @Test func aSoleOwnerIsWrittenToInPlace() {
        var tensor = Tensor(zeros: [4])
        let before = tensor.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) }
        tensor.withUnsafeMutableBuffer { $0[0] = 1 }
        #expect(tensor.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) } == before)
    }

    @Test func equalityIsOfShapesAndElements() {
        let tensor = Tensor([1, 2], shape: [2])
        #expect(tensor == Tensor([1, 2], shape: [2]))
        #expect(tensor != Tensor([1, 3], shape: [2]))
        #expect(tensor != Tensor([1, 2], shape: [1, 2]))
        // Equal values have equal hashes, zero and minus zero included.
        #expect(Tensor(0) == Tensor(-0.0))
        #expect(Set([Tensor(0), Tensor(-0.0)]).count == 1)
    }

    @Test func memoryIsAlignedForTheWidestVectors() {
        for count in 1..<20 {
            let address = Tensor(zeros: [count]).withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) }
            #expect(address.isMultiple(of: 64))
        }
    }
}

@Suite struct ShapeTests {
    @Test func aShapeAnswersQuestionsAboutItself() {
        let shape: Shape = [2, 3, 4]
        #expect((shape.rank, shape.elementCount, shape.last) == (3, 24, 4))
        #expect(shape.strides == [12, 4, 1])
        #expect((Shape([]).elementCount, Shape([]).last) == (1, 1))
    }

    @Test(arguments: [([7, 7, 768], "(7, 7, 768)"), ([1], "(1,)"), ([], "()")] as [([Int], String)])
    func aShapeReadsAsInKeras(dimensions: [Int], text: String) {
        #expect(Shape(dimensions).description == text)
    }

    @Test(
        arguments: [
            ([2, 3], [3], [2, 3]), ([2, 1], [1, 3], [2, 3]), ([], [4], [4]), ([2, 3], [2], nil), ([0], [1], [0]),
            ([5, 1, 4], [3, 1], [5, 3, 4]),
        ] as [([Int], [Int], [Int]?)])
    func shapesBroadcastAsInNumpy(left: [Int], right: [Int], result: [Int]?) {
        #expect(Shape(left).broadcast(with: Shape(right)) == result.map(Shape.init))
        #expect(Shape(right).broadcast(with: Shape(left)) == result.map(Shape.init))
    }

    /// Large zeros are memory of the system's that nobody has written to.
    @Test func largeZerosAreZeroAndMayBeWritten() {
        let count = (9 << 20) / 4 + 3
        for tensor in [Tensor(zeros: [count]), Tensor(repeating: 0, shape: [count])] {
            var changed = tensor
            #expect(tensor.withUnsafeBuffer { $0.allSatisfy { $0.bitPattern == 0 } })
            changed.withUnsafeMutableBuffer { $0[count - 1] = 1 }
            #expect(changed[count - 1] == 1 && tensor[count - 1] == 0)
        }
        #expect(Tensor(repeating: -0.0, shape: [4])[3].bitPattern == Float(-0.0).bitPattern)
    }
}
