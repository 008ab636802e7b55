// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "CatsAndDogs",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "graft", path: "../..")],
    targets: [
        .executableTarget(
            name: "CatsAndDogs", dependencies: [.product(name: "Graft", package: "graft")], path: "Sources")
    ]
)
