// swift-tools-version: 6.2
import PackageDescription

/// Programs to read and to copy from, one folder each; together in one package, so that Graft is built for them once.
func example(_ name: String) -> Target {
    .executableTarget(name: name, dependencies: [.product(name: "Graft", package: "graft")], path: "\(name)/Sources")
}

let package = Package(
    name: "Examples",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "graft", path: "..")],
    targets: [
        example("CatsAndDogs"), example("FineTuning"), example("Leaves"), example("Pocket"), example("TrainingSteps"),
    ]
)
