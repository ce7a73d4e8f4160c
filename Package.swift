// swift-tools-version: 6.2
import PackageDescription

/// The fuzz targets are tests, which run over real examples; hack/fuzz makes one program of libFuzzer's of them.
let isFuzzing = Context.environment["CARPEL_FUZZ"] != nil

let warnings: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let strict =
    warnings
    + (isFuzzing
        ? [
            .unsafeFlags([
                "-O", "-sanitize=address", "-sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp",
            ])
        ] : [])

/// For the agent, which is in the memory of every pod.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], .when(configuration: .release))]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let fuzzDependencies: [Target.Dependency] =
    [
        "CArchive", "CarpelClient", "CarpelJSON", "CarpelPluginHost", "CarpelPlugins", "CarpelServer", logging,
        .product(name: "NIOEmbedded", package: "swift-nio"),
    ] + nio
let fuzz: Target =
    isFuzzing
    ? .executableTarget(
        name: "carpel-fuzz", dependencies: fuzzDependencies, path: "Tests/Fuzz", exclude: ["Tests"],
        swiftSettings: strict, linkerSettings: [.unsafeFlags(["-sanitize=address", "-use-ld=lld"])])
    : .testTarget(
        name: "FuzzTests", dependencies: fuzzDependencies, path: "Tests/Fuzz", exclude: ["Driver"],
        swiftSettings: strict)

let package = Package(
    name: "carpel",
    products: [
        .executable(name: "carpeld", targets: ["carpeld"]),
        .executable(name: "carpel", targets: ["carpel"]),
        .executable(name: "carpel-agent", targets: ["carpel-agent"]),
        .executable(name: "carpel-plugin-host", targets: ["carpel-plugin-host"]),
        .library(name: "CarpelClient", targets: ["CarpelClient"]),
        .library(name: "CarpelPluginSDK", targets: ["CarpelPluginSDK"]),
        .library(name: "NetworkBridge", type: .dynamic, targets: ["NetworkBridge"]),
        .library(name: "NetworkCNI", type: .dynamic, targets: ["NetworkCNI"]),
        .library(name: "StorageLocal", type: .dynamic, targets: ["StorageLocal"]),
        .library(name: "CarpelTestPlugin", type: .dynamic, targets: ["TestPlugin"]),
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
        .systemLibrary(name: "CCapability", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CFileSystem"),
        .systemLibrary(name: "CKVM"),
        .systemLibrary(
            name: "CLibnl", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
        .systemLibrary(name: "CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CNftables", pkgConfig: "libnftables", providers: [.apt(["libnftables-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CLinux"),

        // The host.
        .target(name: "CarpelCore", swiftSettings: strict),
        .target(name: "CarpelJSON", swiftSettings: strict),
        .target(
            name: "CarpelAPI", dependencies: ["CarpelCore"], swiftSettings: strict, plugins: ["DescribeMessages"]),
        .plugin(
            name: "DescribeMessages", capability: .buildTool(), dependencies: ["describe-messages"],
            path: "Sources/DescribeMessages"),
        .executableTarget(name: "describe-messages", swiftSettings: warnings),
        .target(name: "CarpelClient", dependencies: ["CarpelAPI"] + nio, swiftSettings: strict),
        .target(name: "CarpelSeccomp", dependencies: ["CSeccomp", "CarpelCore"], swiftSettings: strict),
        .target(
            name: "CarpelMachines", dependencies: ["CarpelCore", "CFileSystem", "CKVM", "CLibvirt", logging] + nio,
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
                "CarpelAPI", "CarpelGuestProtocol", "CarpelImages", "CarpelMachines", "CarpelPlugins",
                "CarpelSeccomp", logging,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ] + nio, swiftSettings: strict),
        .target(
            name: "CarpelServer", dependencies: ["CarpelJSON", "CarpelRuntime", logging] + nio, swiftSettings: strict),
        .target(
            name: "CarpelCLI", dependencies: ["CArchive", "CarpelClient", "CarpelPlugins", arguments, yams] + nio,
            swiftSettings: strict,
            plugins: ["EmbedTemplates"]),
        .plugin(
            name: "EmbedTemplates", capability: .buildTool(), dependencies: ["embed-templates"],
            path: "Sources/EmbedTemplates"),
        .executableTarget(name: "embed-templates", swiftSettings: warnings),

        // Plugins: what a plugin is made with, what runs it, and who calls it.
        .target(name: "CCarpelPlugin"),
        .target(name: "CarpelNetlink", dependencies: ["CLibnl"], swiftSettings: strict),
        .target(name: "CarpelPluginSDK", dependencies: ["CCarpelPlugin", "CEpoll"], swiftSettings: strict),
        .target(
            name: "CarpelPluginHost", dependencies: ["CCapability", "CCarpelPlugin", "CarpelJSON"],
            swiftSettings: strict),
        .target(
            name: "CarpelPlugins",
            dependencies: [
                "CarpelClient", "CarpelCore", "CarpelPluginSDK", "CarpelSeccomp", logging,
                .product(name: "Subprocess", package: "swift-subprocess"),
            ] + nio, swiftSettings: strict),
        .target(
            name: "NetworkBridge",
            dependencies: [
                "CNftables", "CarpelNetlink", "CarpelPluginSDK", .product(name: "GRDB", package: "GRDB.swift"),
            ], path: "plugins/network-bridge/Sources", swiftSettings: strict),
        .target(
            name: "NetworkCNI",
            dependencies: [
                "CarpelCore", "CarpelNetlink", "CarpelPluginSDK",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ], path: "plugins/network-cni/Sources", swiftSettings: strict),
        .target(
            name: "StorageLocal",
            dependencies: ["CarpelPluginSDK", .product(name: "Subprocess", package: "swift-subprocess")],
            path: "plugins/storage-local/Sources", swiftSettings: strict),

        // The guest.
        .target(name: "CarpelGuestProtocol", swiftSettings: strict),
        .target(
            name: "CarpelAgent", dependencies: ["CarpelGuestProtocol", "CLinux", "CLZ4"],
            swiftSettings: strict + small),

        // Thin mains.
        .executableTarget(
            name: "carpeld",
            dependencies: [
                "CarpelServer", arguments, logging, yams,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .executableTarget(name: "carpel-plugin-host", dependencies: ["CarpelPluginHost"], swiftSettings: strict),
        .executableTarget(name: "carpel", dependencies: ["CarpelCLI"], swiftSettings: strict),
        .executableTarget(
            name: "carpel-agent", dependencies: ["CarpelAgent"], swiftSettings: strict + small,
            // Nothing unwinds the agent's stack, whose index for that would be in the memory of every pod.
            linkerSettings: [.unsafeFlags(["-static-executable", "-Xlinker", "--no-eh-frame-hdr"])]),

        // Tests.
        fuzz,
        .testTarget(
            name: "CarpelClientTests",
            dependencies: ["CarpelClient", .product(name: "NIOEmbedded", package: "swift-nio")] + nio,
            swiftSettings: strict),
        .testTarget(
            name: "CarpelCLITests", dependencies: ["CarpelCLI", "CarpelPlugins", arguments], swiftSettings: strict),
        .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "CarpelAPITests", dependencies: ["CarpelAPI"], swiftSettings: strict),
        .testTarget(name: "CarpelCoreTests", dependencies: ["CarpelCore"], swiftSettings: strict),
        .testTarget(
            name: "CarpelServerTests",
            dependencies: ["CarpelServer", "TestSupport", .product(name: "NIOEmbedded", package: "swift-nio")],
            swiftSettings: strict),
        .testTarget(
            name: "CarpelSystemTests",
            dependencies: [
                "CarpelClient", "CarpelServer", "TestSupport", "carpel", "carpeld",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(name: "CSeccompTesting", path: "Tests/CSeccompTesting"),
        .testTarget(
            name: "CarpelRuntimeTests", dependencies: ["CarpelRuntime", "CarpelSeccomp", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CarpelSeccompTests", dependencies: ["CSeccomp", "CSeccompTesting", "CarpelSeccomp"],
            swiftSettings: strict),
        .testTarget(
            name: "CarpelMachinesTests",
            dependencies: ["CarpelGuestProtocol", "CarpelMachines", "CarpelRuntime", "TestSupport"],
            exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "CarpelPluginHostTests",
            dependencies: ["CCapability", "CarpelJSON", "CarpelPluginHost", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CarpelPluginSDKTests", dependencies: ["CCarpelPlugin", "CarpelPluginSDK", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CarpelPluginsTests", dependencies: ["CarpelPlugins", "TestSupport", "carpel", "carpel-plugin-host"],
            swiftSettings: strict),
        .target(
            name: "TestPlugin", dependencies: ["CarpelPluginSDK"], path: "Tests/TestPlugins/Swift",
            swiftSettings: strict),
        // All tests are linked into one program, in which every plugin of ours exports the one symbol that plugins have.
        // Nothing there looks for it.
        .testTarget(
            name: "NetworkBridgeTests", dependencies: ["CarpelNetlink", "NetworkBridge", "TestSupport"],
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "muldefs"])]),
        .executableTarget(
            name: "network-cni-driver", dependencies: ["CCarpelPlugin", "NetworkCNI"], path: "Tests/NetworkCNIDriver",
            swiftSettings: strict),
        .testTarget(
            name: "NetworkCNITests",
            dependencies: ["CarpelCore", "CarpelNetlink", "NetworkCNI", "TestSupport", "network-cni-driver"],
            swiftSettings: strict),
        .testTarget(name: "StorageLocalTests", dependencies: ["StorageLocal", "TestSupport"], swiftSettings: strict),
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
