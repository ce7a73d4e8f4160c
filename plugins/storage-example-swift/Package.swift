// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "storage-example-swift",
    products: [.library(name: "storage-example-swift", type: .dynamic, targets: ["Plugin"])],
    dependencies: [.package(path: "CarpelPluginSDK")],
    targets: [
        .target(name: "Plugin", dependencies: [.product(name: "CarpelPluginSDK", package: "CarpelPluginSDK")])
    ]
)
