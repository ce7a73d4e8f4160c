import CarpelCore
import Logging

@testable import CarpelImages

/// What tests configure: short waits, and plain HTTP for `registries`.
func testConfiguration(_ registries: String..., change: (inout ImagesConfiguration) -> Void = { _ in })
    -> ImagesConfiguration
{
    var configuration = ImagesConfiguration()
    configuration.transfer.retryDelaySeconds = 0.01
    configuration.transfer.idleTimeoutSeconds = 10
    configuration.limits.minimumFreeBytes = ByteCount(0)
    for registry in registries { configuration.registries[registry] = RegistryConfiguration(scheme: .http) }
    change(&configuration)
    return configuration
}

extension ImageStore {
    static func test(_ scratch: Scratch, _ configuration: ImagesConfiguration) async throws -> ImageStore {
        try await ImageStore(
            root: "\(scratch.path)/images", configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func pull(_ reference: String, _ credentials: RegistryCredentials? = nil) async throws -> Image {
        try await pull(reference, credentials: credentials) { _ in }
    }
}
