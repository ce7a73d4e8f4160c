import CarpelCore

extension LibvirtMachine {
    func hasSharedFolder() async throws -> Bool {
        try await calls.run("looking for the shared folder of machine \(id)", timeout: timeout) { [domain] in
            try domain.live().sharedFolder != nil
        }
    }

    func attach(_ folder: SharedFolderSpec) async throws {
        try folder.validate()
        try folder.requireFolder()
        try await deviceOperations.run { [self] in
            try await calls.run("plugging a shared folder into machine \(id)", timeout: timeout) { [domain, host] in
                let live = try domain.live()
                guard live.sharedFolder == nil else { return }
                guard let daemon = host.sharedFolderDaemon, live.sharesMemory else {
                    throw CarpelError(
                        .failedPrecondition, "virtiofsUnavailable",
                        "the machine was started where there was no virtiofsd, and cannot have a shared folder")
                }
                try domain.attach(folder.element(daemon: daemon).document(), "plugging in a shared folder")
            }
        }
    }

    func detachSharedFolder() async throws {
        try await deviceOperations.run { [self] in
            guard try await unplug("the shared folder", { $0.sharedFolder }) else {
                throw CarpelError(
                    .unavailable, "sharedFolderBusy", "the guest does not let go of the shared folder; try again")
            }
        }
    }
}
