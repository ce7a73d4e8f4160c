import CarpelAPI

extension Runtime {
    /// Containers' and pods' events from now on. Those that a daemon finds when it starts are told to whoever
    /// subscribes within its first minute.
    public nonisolated func getContainerEvents(_ request: GetEventsRequest) -> ItemStream<ContainerEventResponse> {
        environment.events.containerEvents()
    }

    /// The changes of pods, containers, images, volumes and plugins.
    ///
    /// - Throws: `OUT_OF_RANGE`, reason `revisionGone`, for a revision whose successors are no longer kept.
    public nonisolated func watchNode(_ request: WatchNodeRequest) throws -> ItemStream<WatchNodeResponse> {
        guard request.revision > 0 else { return environment.events.everything() }
        return try environment.events.changes(after: request.revision)
    }
}
