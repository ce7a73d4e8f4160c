import CarpelAPI
import CarpelClient
import CarpelCore

/// The pods and containers of the node, to find one by what a person typed.
///
/// An exact id wins over a name, and a name over the start of an id. Of several that share a name within one pod or
/// namespace, the newest is meant.
struct Inventory {
    enum Target {
        case pod(PodSandboxItem)
        case container(ContainerItem)
    }

    let pods: [PodSandboxItem]
    let containers: [ContainerItem]

    static func load(from client: CarpelClient) async throws -> Inventory {
        async let pods = client.call(Methods.listPodSandbox, ListPodSandboxRequest())
        async let containers = client.call(Methods.listContainers, ListContainersRequest())
        return Inventory(pods: try await pods.items, containers: try await containers.containers)
    }

    /// The pod or container that `text` means; the pod where both have that name.
    func target(_ text: String) throws -> Target {
        for (podMatch, containerMatch) in zip(podMatches(text), containerMatches(text)) {
            if let pod = try only(podMatch, of: text) { return .pod(pod) }
            if let container = try only(containerMatch, of: text) { return .container(container) }
        }
        throw notFound("pod or container", text, see: "`carpel pods` and `carpel ps -a`")
    }

    func pod(_ text: String) throws -> PodSandboxItem {
        guard let pod = try podIfAny(text) else { throw notFound("pod", text, see: "`carpel pods`") }
        return pod
    }

    /// The container that `text` means; a pod that has but one container stands for it.
    func container(_ text: String) throws -> ContainerItem {
        for match in containerMatches(text) {
            if let container = try only(match, of: text) { return container }
        }
        guard let pod = try podIfAny(text) else { throw notFound("container", text, see: "`carpel ps -a`") }
        let inside = newest(containers(of: pod), named: path)
        guard inside.count != 1 else { return inside[0] }
        let choice = inside.map(path).sorted().joined(separator: ", ")
        throw CarpelError(
            .invalidArgument, "ambiguousName",
            "the pod \(text) has " + (inside.isEmpty ? "no container" : "several containers: name one of \(choice)"))
    }

    private func podIfAny(_ text: String) throws -> PodSandboxItem? {
        for match in podMatches(text) {
            if let pod = try only(match, of: text) { return pod }
        }
        return nil
    }

    /// The container in whose place this one was made.
    func previous(of container: ContainerItem) throws -> ContainerItem {
        let attempt = container.metadata?.attempt ?? 0
        let earlier = containers.filter {
            $0.podSandboxId == container.podSandboxId && $0.name == container.name
                && ($0.metadata?.attempt ?? 0) < attempt
        }
        guard let previous = earlier.max(by: { ($0.metadata?.attempt ?? 0) < ($1.metadata?.attempt ?? 0) }) else {
            throw CarpelError(
                .notFound, "noPrevious",
                "the container \(path(container)) has no previous instance on this node: `carpel ps -a` lists what there is"
            )
        }
        return previous
    }

    /// The containers of a pod.
    func containers(of pod: PodSandboxItem) -> [ContainerItem] {
        containers.filter { $0.podSandboxId == pod.id }
    }

    /// `pod/container`.
    func path(_ container: ContainerItem) -> String {
        let pod = pods.first { $0.id == container.podSandboxId }
        return "\(pod?.name ?? HumanText.shortID(container.podSandboxId))/\(container.name)"
    }
}

extension Inventory {
    /// What may be meant, the surest first: same id, same name, same start of the id.
    private func podMatches(_ text: String) -> [[PodSandboxItem]] {
        let named = pods.filter { [$0.name, "\($0.namespace)/\($0.name)"].contains(text) }
        return [
            pods.filter { $0.id == text }, newest(named) { "\($0.namespace)/\($0.name)" },
            text.isEmpty ? [] : pods.filter { $0.id.hasPrefix(text) },
        ]
    }

    private func containerMatches(_ text: String) -> [[ContainerItem]] {
        let named = containers.filter { [$0.name, path($0)].contains(text) }
        return [
            containers.filter { $0.id == text }, newest(named) { "\($0.podSandboxId)/\($0.name)" },
            text.isEmpty ? [] : containers.filter { $0.id.hasPrefix(text) },
        ]
    }

    private func newest<Item: Listed>(_ items: [Item], named name: (Item) -> String) -> [Item] {
        Dictionary(grouping: items, by: name).values.compactMap { $0.max { $0.createdAt < $1.createdAt } }
    }

    private func only<Item: Listed>(_ matches: [Item], of text: String) throws -> Item? {
        guard matches.count > 1 else { return matches.first }
        let ids = matches.map { HumanText.shortID($0.id) }.sorted().prefix(5).joined(separator: ", ")
        throw CarpelError(
            .invalidArgument, "ambiguousName", "\"\(text)\" may mean \(matches.count) (\(ids)): give more of the id")
    }

    private func notFound(_ kind: String, _ text: String, see: String) -> CarpelError {
        CarpelError(.notFound, "notFound", "there is no \(kind) \"\(text)\": see \(see)")
    }
}

/// What pods and containers in lists have in common.
protocol Listed {
    var id: String { get }
    var createdAt: Int64 { get }
    var name: String { get }
}

extension PodSandboxItem: Listed {
    var name: String { metadata?.name ?? "" }
    var namespace: String { metadata?.namespace ?? "" }
}

extension ContainerItem: Listed {
    var name: String { metadata?.name ?? "" }
}
