import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelCLI

struct InventoryTests {
    private static func pod(_ id: String, _ name: String, namespace: String = "default", at: Int64 = 1)
        -> PodSandboxItem
    {
        PodSandboxItem {
            $0.id = id
            $0.createdAt = at
            $0.metadata = PodSandboxMetadata {
                $0.name = name
                $0.namespace = namespace
            }
        }
    }

    private static func container(_ id: String, _ name: String, in pod: String, at: Int64 = 1) -> ContainerItem {
        ContainerItem {
            $0.id = id
            $0.podSandboxId = pod
            $0.createdAt = at
            $0.metadata = ContainerMetadata { $0.name = name }
        }
    }

    private let inventory = Inventory(
        pods: [pod("aa11", "web"), pod("aa22", "db"), pod("bb33", "web", namespace: "test")],
        containers: [
            container("cc11", "web", in: "aa11"), container("cc12", "probe", in: "aa11"),
            container("dd21", "server", in: "aa22", at: 1), container("dd22", "server", in: "aa22", at: 2),
        ])

    private func targetID(_ text: String) throws -> String {
        switch try inventory.target(text) {
        case .pod(let pod): pod.id
        case .container(let container): container.id
        }
    }

    @Test func anIdOrItsStartFindsAPodOrAContainer() throws {
        #expect(try targetID("aa11") == "aa11")
        #expect(try targetID("bb") == "bb33")
        #expect(try targetID("cc12") == "cc12")
        #expect(try inventory.container("cc11").id == "cc11")
    }

    @Test func aNameThatIsAPodsAndAContainersMeansThePod() throws {
        #expect(try targetID("db") == "aa22")
        #expect(try targetID("default/web") == "aa11")
        #expect(try targetID("web/web") == "cc11")
    }

    @Test func aContainersNameFindsItWhereOnlyAContainerWillDo() throws {
        #expect(try inventory.container("web").id == "cc11")
        #expect(try inventory.container("web/probe").id == "cc12")
    }

    @Test func ofSeveralAttemptsTheNewestIsMeant() throws {
        #expect(try inventory.container("server").id == "dd22")
        #expect(try inventory.container("db").id == "dd22")
    }

    @Test func whatMayMeanSeveralIsRefused() {
        for text in ["aa", "web", "cc"] {
            let error = #expect(throws: CarpelError.self, "\(text)") { try inventory.target(text) }
            #expect(error?.reason == "ambiguousName")
        }
        let error = #expect(throws: CarpelError.self) { try inventory.container("aa11") }
        #expect(error?.message.contains("web/probe, web/web") == true)
    }

    @Test func whatIsNotThereIsNotFound() {
        for text in ["", "nope"] {
            #expect(throws: CarpelError.self) { try inventory.target(text) }
            let error = #expect(throws: CarpelError.self) { try inventory.container(text) }
            #expect(error?.code == .notFound)
        }
    }
}
