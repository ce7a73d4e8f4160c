import CCarpelPlugin
import FoundationEssentials

typealias AnswerPointer = UnsafeMutablePointer<carpel_buffer>

/// The table's `create`.
func createPlugin(
    _ environment: UnsafePointer<carpel_environment>?, _ answer: AnswerPointer?
) -> UnsafeMutableRawPointer? {
    guard let factory = exportedFactory.withLock({ $0 }), let environment = environment.map(PluginEnvironment.init)
    else {
        return nil
    }
    do {
        let service = try runOnThisThread { try await factory(environment) }
        return Unmanaged.passRetained(ServiceBox(service)).toOpaque()
    } catch {
        answer?.pointee = .owning(failureAnswer(error))
        return nil
    }
}

/// The table's `call`.
func callPlugin(_ handle: UnsafeMutableRawPointer?, _ call: UnsafePointer<carpel_call>?, _ answer: AnswerPointer?) {
    guard let handle, let call = call?.pointee, let verb = call.verb, let answer else { return }
    let service = Unmanaged<ServiceBox>.fromOpaque(handle).takeUnretainedValue().service
    let (name, request) = (String(cString: verb), Data(call.request))
    do {
        let result = try runOnThisThread(until: call.cancelled) { try await service.perform(name, request) }
        answer.pointee = .owning(result)
    } catch {
        answer.pointee = .owning(failureAnswer(error, deadline: call.deadline))
    }
}

/// The table's `free_buffer`.
func freeAnswer(_ handle: UnsafeMutableRawPointer?, _ answer: carpel_buffer) {
    answer.bytes?.deallocate()
}

/// The table's `destroy`.
func destroyPlugin(_ handle: UnsafeMutableRawPointer?) {
    handle.map { Unmanaged<ServiceBox>.fromOpaque($0).release() }
}

/// What the host's handle points to.
private final class ServiceBox: Sendable {
    let service: any PluginService

    init(_ service: any PluginService) { self.service = service }
}

extension PluginEnvironment {
    fileprivate init(_ pointer: UnsafePointer<carpel_environment>) {
        let environment = pointer.pointee
        self.init(
            name: environment.name.map { String(cString: $0) } ?? "",
            stateFolder: environment.state_folder.map { String(cString: $0) } ?? "",
            configuration: Array(UnsafeBufferPointer(environment.configuration)),
            machineGroup: environment.machine_group)
    }
}

extension Data {
    fileprivate init(_ buffer: carpel_buffer) { self.init(UnsafeBufferPointer(buffer)) }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate init(_ buffer: carpel_buffer) { self.init(start: buffer.bytes, count: buffer.length) }
}

extension carpel_buffer {
    /// A copy that `freeAnswer` takes back.
    fileprivate static func owning(_ bytes: Data) -> carpel_buffer {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        bytes.copyBytes(to: memory, count: bytes.count)
        return carpel_buffer(bytes: memory, length: bytes.count)
    }
}
