#!/usr/bin/env bash
# Builds the CPU backend against oneDNN 3 and runs its tests, on systems whose own library is oneDNN 2 (Debian 12,
# Ubuntu 22.04). The library comes from PyPI and stays in .build-onednn3, beside what is built with it.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2023.2.0 # holds oneDNN 3.2
folder=$PWD/.build-onednn3
prefix=$folder/library
stamp=$prefix/version.txt

if [ "$(cat "$stamp" 2>/dev/null)" != "$version" ]; then
    rm -rf "$prefix"
    python3 -m venv "$prefix"
    "$prefix/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
        "onednn-cpu-gomp==$version" "onednn-devel-cpu-gomp==$version"
    echo "$version" >"$stamp"
fi

# A package of the backend alone, on the same sources: the rest does not know oneDNN and would only take time.
package=$folder/package
mkdir -p "$package"
ln -sfn "$PWD/Sources" "$package/Sources"
ln -sfn "$PWD/Tests" "$package/Tests"
cat >"$package/Package.swift" <<'MANIFEST'
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "graft-onednn3",
    platforms: [.macOS(.v15)],
    targets: [
        .target(name: "GraftModel", dependencies: ["GraftGraph"]),
        .target(name: "GraftCPU", dependencies: ["GraftRuntime", "COneDNN", "CKernels", "CRegistration"]),
        .target(name: "GraftRuntime", dependencies: ["GraftGraph"]),
        .target(name: "GraftGraph", dependencies: ["GraftSystem"]),
        .target(name: "GraftSystem"),
        .target(name: "CRegistration"),
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .target(name: "CKernels"),
        .target(name: "GraftTestSupport", dependencies: ["GraftGraph"], path: "Tests/Support"),
        .testTarget(
            name: "GraftCPUTests", dependencies: ["GraftCPU", "GraftModel", "GraftTestSupport", "COneDNN", "CKernels"],
            resources: [.copy("Fixtures")]),
    ]
)
MANIFEST

# One of the tests checks that the library in use is the one that was asked for.
GRAFT_EXPECT_ONEDNN=3. LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    swift test --package-path "$package" --scratch-path "$folder/build" \
    -Xcc "-I$prefix/include" -Xlinker "-L$prefix/lib" "$@"
