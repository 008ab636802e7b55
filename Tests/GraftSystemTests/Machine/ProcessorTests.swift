import Testing

@testable import GraftSystem

@Suite struct ProcessorTests {
    /// A desktop of 2014, by its lines that matter; a second processor follows.
    @Test func anOlderProcessorHasAVX2Alone() {
        let processor = Processor(
            cpuinfo: """
                processor\t: 0
                model name\t: Intel(R) Core(TM) i7-4790 CPU @ 3.60GHz
                flags\t\t: fpu sse4_2 fma avx f16c bmi1 avx2 bmi2

                processor\t: 1
                model name\t: another
                flags\t\t: avx512f avx512bw avx512dq avx512vl avx512cd
                """, architecture: "x86-64")
        #expect(
            processor
                == Processor(
                    name: "Intel(R) Core(TM) i7-4790 CPU @ 3.60GHz", architecture: "x86-64", units: ["AVX2"]))
    }

    @Test func aServerHasAllUnits() {
        let processor = Processor(
            cpuinfo:
                "flags : fma avx2 avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16 amx_bf16 amx_tile amx_int8",
            architecture: "x86-64")
        #expect(processor.units == ["AVX2", "AVX-512", "AVX512_BF16", "AMX"])
        #expect(processor.name == nil)
    }

    /// A part of the instructions is not the unit: Knights Landing had no BW, DQ and VL.
    @Test func aUnitTakesAllItsFlags() {
        let units = Processor(cpuinfo: "flags: avx2 avx512f avx512cd amx_tile", architecture: "x86-64").units
        #expect(units == [])
    }

    @Test func anARMProcessorListsFeatures() {
        let processor = Processor(
            cpuinfo: "BogoMIPS\t: 243.75\nFeatures\t: fp asimd sve bf16 i8mm\nCPU implementer\t: 0x41",
            architecture: "arm64")
        #expect(processor == Processor(name: nil, architecture: "arm64", units: ["NEON", "SVE", "BF16"]))
    }

    @Test(arguments: ["", ":", "flags", "\n\n", "flags:", ": :\n"])
    func whatSaysNothingGivesNothing(cpuinfo: String) {
        #expect(Processor(cpuinfo: cpuinfo, architecture: "x86-64").units == [])
    }
}
