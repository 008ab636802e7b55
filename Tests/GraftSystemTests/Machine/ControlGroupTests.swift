import Testing

@testable import GraftSystem

@Suite struct ControlGroupTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func group(_ membership: String) -> ControlGroup {
        ControlGroup(membership: membership, root: folder.path)
    }

    @Test func version2TellsBothLimits() throws {
        try folder.write("536870912\n", to: "user/job/memory.max")
        try folder.write("150000 100000\n", to: "user/job/cpu.max")
        #expect(group("0::/user/job\n").memoryLimit == 536_870_912)
        #expect(group("0::/user/job\n").processorLimit == 1.5)
    }

    @Test func theTightestLimitOfTheGroupsAboveHolds() throws {
        try folder.write("max\n", to: "a/b/memory.max")
        try folder.write("1000000000\n", to: "a/memory.max")
        try folder.write("2000000000\n", to: "memory.max")
        try folder.write("max 100000\n", to: "a/b/cpu.max")
        #expect(group("0::/a/b").memoryLimit == 1_000_000_000)
        #expect(group("0::/a/b").processorLimit == nil)
    }

    @Test func version1HasAHierarchyForEachController() throws {
        try folder.write("9223372036854771712\n", to: "memory/memory.limit_in_bytes")
        try folder.write("268435456\n", to: "memory/docker/x/memory.limit_in_bytes")
        try folder.write("-1\n", to: "cpu,cpuacct/cpu.cfs_quota_us")
        try folder.write("50000\n", to: "cpu/docker/x/cpu.cfs_quota_us")
        try folder.write("100000\n", to: "cpu/docker/x/cpu.cfs_period_us")
        let limits = group("4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n0::/\n")
        #expect(limits.memoryLimit == 268_435_456)
        #expect(limits.processorLimit == 0.5)
    }

    /// Inside a container the group's own folder is mounted as the root, and its path leads nowhere.
    @Test func aPathThatIsNotThereLeavesTheRoots() throws {
        try folder.write("300000000", to: "memory.max")
        #expect(group("0::/system.slice/docker-1.scope").memoryLimit == 300_000_000)
        #expect(group("0::/../../elsewhere").memoryLimit == 300_000_000)
    }

    @Test(arguments: ["", "0", "0::", ":::", "0:memory", "nonsense\n\n", "1:memory:/x"])
    func whatSaysNothingIsNoLimit(membership: String) {
        #expect(group(membership) == ControlGroup(membership: "", root: "/no/such/folder"))
    }

    @Test(arguments: ["", "-5", "1e9", "99999999999999999999999", "1 2 3", "0 0"])
    func numbersThatAreNoneAreNoLimit(text: String) throws {
        try folder.write(text, to: "memory.max")
        try folder.write(text, to: "cpu.max")
        #expect(group("0::/").memoryLimit == nil)
        #expect(group("0::/").processorLimit == nil)
    }
}
