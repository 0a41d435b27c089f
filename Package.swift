// swift-tools-version: 6.0
// LossKit for Swift programs, and the unit tests of its inner parts: the sources that CMakeLists.txt compiles for the
// shipped libraries, compiled in ordinary mode for the machine at hand.
import PackageDescription

let notes = ["", "ABI/", "Engines/", "Math/", "Runtime/", "Vector/"].map { $0 + "README.md" }

let package = Package(
  name: "LossKit",
  products: [.library(name: "LossKit", targets: ["LossKit"])],
  targets: [
    .target(name: "VectorShims", exclude: ["README.md"]),
    .target(name: "RuntimeShims"),
    .target(name: "LossKit", dependencies: ["VectorShims", "RuntimeShims"], exclude: notes + ["VERSION"]),
    .testTarget(name: "LossKitTests", dependencies: ["LossKit"]),
  ]
)
