// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// For the agent, which is in the memory of every pod.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], .when(configuration: .release))]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "carpel",
    products: [
        .executable(name: "carpeld", targets: ["carpeld"]),
        .executable(name: "carpel", targets: ["carpel"]),
        .executable(name: "carpel-agent", targets: ["carpel-agent"]),
        .library(name: "CarpelClient", targets: ["CarpelClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // System libraries, and the C that Swift cannot say.
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CKVM"),
        .systemLibrary(name: "CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CLinux"),

        // The host.
        .target(name: "CarpelCore", swiftSettings: strict),
        .target(name: "CarpelAPI", dependencies: ["CarpelCore"], swiftSettings: strict),
        .target(name: "CarpelClient", dependencies: ["CarpelAPI"] + nio, swiftSettings: strict),
        .target(
            name: "CarpelMachines", dependencies: ["CarpelCore", "CKVM", "CLibvirt", logging] + nio,
            swiftSettings: strict),
        .target(
            name: "CarpelImages",
            dependencies: [
                "CarpelCore", "CArchive", logging,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
            ] + nio, swiftSettings: strict),
        .target(
            name: "CarpelRuntime",
            dependencies: [
                "CarpelAPI", "CarpelGuestProtocol", "CarpelImages", "CarpelMachines", "CSeccomp", logging,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ] + nio, swiftSettings: strict),
        .target(
            name: "CarpelServer", dependencies: ["CarpelRuntime", logging] + nio, swiftSettings: strict),
        .target(
            name: "CarpelCLI", dependencies: ["CarpelClient", arguments, yams], swiftSettings: strict),

        // The guest.
        .target(name: "CarpelGuestProtocol", swiftSettings: strict),
        .target(name: "CarpelAgent", dependencies: ["CarpelGuestProtocol", "CLinux"], swiftSettings: strict + small),

        // Thin mains.
        .executableTarget(
            name: "carpeld",
            dependencies: [
                "CarpelServer", arguments, logging, yams,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(name: "carpel", dependencies: ["CarpelCLI"], swiftSettings: strict),
        .executableTarget(
            name: "carpel-agent", dependencies: ["CarpelAgent"], swiftSettings: strict + small,
            linkerSettings: [.unsafeFlags(["-static-executable"])]),

        // Tests.
        .testTarget(
            name: "CarpelClientTests",
            dependencies: ["CarpelClient", .product(name: "NIOEmbedded", package: "swift-nio")] + nio,
            swiftSettings: strict),
        .testTarget(name: "CarpelCLITests", dependencies: ["CarpelCLI", arguments], swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "CarpelAPITests", dependencies: ["CarpelAPI"], swiftSettings: strict),
        .testTarget(name: "CarpelCoreTests", dependencies: ["CarpelCore"], swiftSettings: strict),
        .testTarget(
            name: "CarpelServerTests",
            dependencies: ["CarpelServer", .product(name: "NIOEmbedded", package: "swift-nio")], swiftSettings: strict),
        .testTarget(
            name: "CarpelSystemTests",
            dependencies: ["CarpelClient", "CarpelServer", "TestSupport", "carpel", "carpeld"],
            swiftSettings: strict),
        .target(name: "CSeccompTesting", path: "Tests/CSeccompTesting"),
        .testTarget(
            name: "CarpelRuntimeTests", dependencies: ["CarpelRuntime", "CSeccompTesting", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CarpelMachinesTests", dependencies: ["CarpelMachines"], exclude: ["Golden"], swiftSettings: strict),
        .testTarget(name: "CarpelImagesTests", dependencies: ["CarpelImages"], swiftSettings: strict),
        .testTarget(
            name: "CarpelGuestProtocolTests", dependencies: ["CarpelGuestProtocol"], swiftSettings: strict),
        .testTarget(
            name: "CarpelAgentTests",
            dependencies: [
                "CarpelAgent", "CarpelRuntime", "TestSupport", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: strict),
    ]
)
