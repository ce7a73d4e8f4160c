import CLibvirt
import CarpelCore
import Foundation
import Synchronization

/// The one thread that runs libvirt's event loop for the whole process.
///
/// libvirt wants the implementation registered before the first connection and forgets it never, so there is no end.
enum LibvirtEventLoop {
    private static let started: Result<Void, CarpelError> = {
        // Errors are thrown; on stderr they would be said twice.
        virSetErrorFunc(nil) { _, _ in }
        guard virInitialize() == 0, virEventRegisterDefaultImpl() == 0 else {
            return .failure(.libvirt("starting libvirt's event loop"))
        }
        let thread = Thread {
            // A failing turn has been logged by libvirt; there is nobody to stop for.
            while true { virEventRunDefaultImpl() }
        }
        thread.name = "libvirt-events"
        thread.start()
        return .success(())
    }()

    static func start() throws { try started.get() }
}
