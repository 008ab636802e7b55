// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target: the Swift 6 language mode comes with the tools version; warnings are errors.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name), "GraftTestSupport"] + dependencies,
        resources: resources,
        swiftSettings: strict
    )
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "graft",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Graft", targets: ["Graft"]),
        .executable(name: "graft", targets: ["GraftCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // The command, and the umbrella that users import.
        .executableTarget(
            name: "GraftCommand",
            dependencies: ["Graft", "GraftCPU", "GraftDigest", argumentParser],
            swiftSettings: strict
        ),
        // What `make benchmark` measures; no product, so that users never build it.
        .executableTarget(
            name: "GraftMeasure", dependencies: ["Graft", "GraftCPU", "COneDNN", "CKernels", argumentParser],
            path: "Benchmarks/Measure", swiftSettings: strict),
        room(
            "Graft",
            [
                "GraftReports", "GraftTraining", "GraftCPU", "GraftApplications", "GraftFormats", "GraftImages",
                "GraftText",
            ]),

        // What a user works with.
        room("GraftReports", ["GraftTraining"]),
        room(
            "GraftTraining",
            ["GraftLearning", "GraftFeatures", "GraftData", "GraftModel", "GraftRuntime", "GraftDigest"]),
        room("GraftFeatures", ["GraftData", "GraftModel", "GraftRuntime", "GraftDigest"]),
        room("GraftApplications", ["GraftModel", "GraftData", "GraftFormats", "CPocket", "GraftDigest"]),
        room("GraftFormats", ["GraftModel", "CZip"]),
        room("GraftText", ["GraftData", "GraftDigest"]),
        room("GraftImages", ["GraftData", "CJPEG", "CVips", "GraftDigest", "GraftInflate"]),

        // The data, the model and the graph.
        room("GraftData", ["GraftGraph"]),
        room("GraftLearning", ["GraftModel"]),
        room("GraftModel", ["GraftGraph"]),
        room("GraftGraph", ["GraftSystem"]),

        // What a machine is, and the machines, each a leaf.
        room("GraftRuntime", ["GraftGraph"]),
        room("GraftCPU", ["GraftRuntime", "COneDNN", "CKernels", "CRegistration"]),

        // What any program needs: no science, no library of others.
        room("GraftSystem"),
        // Hashes, a room of their own since they need the system's libcrypto; Apple's systems bring CryptoKit.
        room("GraftDigest", ["GraftSystem", .target(name: "CLibCrypto", condition: .when(platforms: [.linux]))]),

        // Decompression: a room of its own, since it needs the system's zlib.
        room("GraftInflate", ["GraftSystem", "CZlib"]),

        // C, kept thin.
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .target(name: "CKernels"),
        .target(name: "CRegistration"),
        .target(name: "CPocket", exclude: ["pocket.safetensors"]),
        .systemLibrary(
            name: "CZip", pkgConfig: "libzip",
            providers: [.apt(["libzip-dev"]), .brew(["libzip"])]),
        .target(name: "CJPEG", dependencies: ["CLibJPEG"]),
        .systemLibrary(
            name: "CLibJPEG", pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CLibCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(
            name: "CVips", pkgConfig: "vips",
            providers: [.apt(["libvips-dev"]), .brew(["vips"])]),

        // Tests: one target a room.
        .target(name: "GraftTestSupport", dependencies: ["GraftGraph"], path: "Tests/Support", swiftSettings: strict),
        .target(name: "Allocations", path: "Tests/Allocations"),
        // Numbers that Keras computed, for several rooms.
        .target(
            name: "KerasFixtures", dependencies: ["GraftLearning"], path: "Tests/KerasFixtures",
            resources: [.copy("Fixtures")], swiftSettings: strict),
        tests(of: "GraftSystem"),
        tests(of: "GraftDigest"),
        tests(of: "GraftInflate", ["CZlib"]),
        tests(of: "GraftGraph"),
        tests(of: "GraftModel", resources: [.copy("Fixtures")]),
        tests(of: "GraftData"),
        tests(of: "GraftCPU", ["GraftModel", "COneDNN", "CKernels"], resources: [.copy("Fixtures")]),
        tests(of: "GraftLearning", ["KerasFixtures"]),
        tests(
            of: "GraftTraining",
            [
                "GraftCPU", "GraftReports", "KerasFixtures", "GraftApplications", "GraftFormats", "GraftDigest",
                "Allocations",
                "CKernels",
            ],
            resources: [.copy("Fixtures")]),
        tests(of: "GraftFeatures", ["GraftCPU"]),
        tests(of: "GraftReports"),
        tests(of: "GraftApplications", ["GraftCPU", "GraftFormats"], resources: [.copy("Fixtures")]),
        tests(of: "GraftFormats", ["GraftApplications", "GraftData"], resources: [.copy("Fixtures")]),
        tests(of: "GraftText", resources: [.copy("Fixtures")]),
        tests(of: "GraftImages", resources: [.copy("Fixtures")]),
        tests(of: "Graft"),
        tests(of: "GraftCommand", ["Graft", "GraftDigest"], resources: [.copy("Fixtures")]),
    ]
)

// What `Scripts/fuzz` builds with sanitizers; libFuzzer brings its `main`.
if Context.environment["GRAFT_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "GraftFuzz",
            dependencies: [
                "GraftFormats", "GraftImages", "GraftFeatures", "GraftModel", "GraftGraph", "GraftSystem", "GraftText",
            ],
            path: "Tests/Fuzz", exclude: ["Dictionaries"],
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
