// swift-tools-version: 6.0
// LossKit for Swift programs, and the unit tests of its inner parts: the sources that CMakeLists.txt compiles for the
// shipped libraries, compiled in ordinary mode for the machine at hand.
import PackageDescription

let package = Package(
  name: "LossKit",
  products: [.library(name: "LossKit", targets: ["LossKit"])],
  targets: [
    .target(name: "VectorShims"),
    .target(name: "RuntimeShims"),
    .target(name: "LossKit", dependencies: ["VectorShims", "RuntimeShims"], exclude: ["VERSION"]),
    .testTarget(name: "LossKitTests", dependencies: ["LossKit"]),
  ]
)
