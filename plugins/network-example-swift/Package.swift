// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "network-example-swift",
    products: [.library(name: "network-example-swift", type: .dynamic, targets: ["Plugin"])],
    dependencies: [.package(path: "CarpelPluginSDK")],
    targets: [
        .target(name: "Plugin", dependencies: [.product(name: "CarpelPluginSDK", package: "CarpelPluginSDK")])
    ]
)
