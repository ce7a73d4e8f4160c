// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "CarpelPluginSDK",
    products: [.library(name: "CarpelPluginSDK", targets: ["CarpelPluginSDK"])],
    targets: [
        .target(name: "CCarpelPlugin"),
        .systemLibrary(name: "CEpoll"),
        .target(name: "CarpelPluginSDK", dependencies: ["CCarpelPlugin", "CEpoll"]),
    ]
)
