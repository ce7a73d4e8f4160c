import CarpelCore
import Logging
import Synchronization

@testable import CarpelAPI
@testable import CarpelServer

/// The socket's methods without a runtime: each checks its request as the runtime would, and answers nothing.
enum EveryMethod {
    static let dispatcher = Dispatcher(table, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    static let requests = MethodDescription.all.map(\.request)
    static let names = MethodDescription.all.map(\.name)

    /// Throws what the checks have found, which the dispatcher would only tell the client.
    static func throwFinding() throws {
        let found = finding.withLock { finding in
            defer { finding = nil }
            return finding
        }
        if let found { throw found }
    }

    private static let finding = Mutex<Finding?>(nil)

    private static let table = MethodDescription.all.reduce(into: MethodTable()) { table, method in
        add(method, method.request, method.response, to: &table)
    }

    private static func add<Request: ProtoMessage, Response: ProtoMessage>(
        _ method: MethodDescription, _: Request.Type, _: Response.Type, to table: inout MethodTable
    ) {
        table.add(Method<Request, Response>(method.name, method.role)) { request, _ in
            do {
                try checkRequest(request)
            } catch let found as Finding {
                finding.withLock { $0 = $0 ?? found }
            }
            return Response()
        }
    }
}
