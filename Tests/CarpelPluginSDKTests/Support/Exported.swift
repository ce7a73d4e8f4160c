import CCarpelPlugin
import Foundation
import Glibc
import Synchronization

@testable import CarpelPluginSDK

/// A plugin's table, called as a host calls it.
///
/// The interface lets any thread call.
final class Exported: @unchecked Sendable {
    private let table: carpel_plugin
    private let handle: UnsafeMutableRawPointer

    convenience init?(
        network plugin: (some NetworkPlugin).Type, configuration: String = "{}",
        refusal: (PluginError) -> Void = { _ in }
    ) throws {
        try self.init(export(network: plugin), configuration, refusal)
    }

    convenience init?(storage plugin: (some StoragePlugin).Type) throws {
        try self.init(export(storage: plugin), "{}") { _ in }
    }

    private init?(_ pointer: UnsafeRawPointer, _ configuration: String, _ refusal: (PluginError) -> Void) throws {
        let table = pointer.load(as: carpel_plugin.self)
        self.table = table
        var answer = carpel_buffer()
        let handle = Array(configuration.utf8).withUnsafeBufferPointer { bytes in
            "test".withCString { name in
                var environment = carpel_environment(
                    struct_size: MemoryLayout<carpel_environment>.size, name: name, state_folder: name,
                    configuration: carpel_buffer(bytes: bytes.baseAddress, length: bytes.count), machine_group: 7)
                return table.create(&environment, &answer)
            }
        }
        guard let handle else {
            let bytes = Data(UnsafeBufferPointer(start: answer.bytes, count: answer.length))
            if let error = try JSONDecoder().decode(ExportedAnswer.self, from: bytes).error { refusal(error) }
            table.free_buffer(nil, answer)
            return nil
        }
        self.handle = handle
    }

    func destroy() { table.destroy(handle) }

    func call(
        _ verb: String, _ request: String, deadline: UInt64 = .max, cancelled: Int32 = -1
    ) throws -> ExportedAnswer {
        var answer = carpel_buffer()
        Array(request.utf8).withUnsafeBufferPointer { bytes in
            verb.withCString { verb in
                var call = carpel_call(
                    struct_size: MemoryLayout<carpel_call>.size, verb: verb,
                    request: carpel_buffer(bytes: bytes.baseAddress, length: bytes.count), deadline: deadline,
                    cancelled: cancelled)
                table.call(handle, &call, &answer)
            }
        }
        defer { table.free_buffer(handle, answer) }
        return try ExportedAnswer(
            text: String(decoding: UnsafeBufferPointer(start: answer.bytes, count: answer.length), as: UTF8.self))
    }
}

/// What a plugin has answered, to be compared by what it says.
struct ExportedAnswer: Decodable, Equatable {
    let error: PluginError?
    private let json: NSDictionary

    var reason: String? { error?.reason }

    private enum CodingKeys: CodingKey { case error }

    init(from decoder: any Decoder) throws {
        error = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(PluginError.self, forKey: .error)
        json = [:]
    }

    init(text: String) throws {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        json = object as? NSDictionary ?? ["no object": text]
        error = try JSONDecoder().decode(ExportedAnswer.self, from: Data(text.utf8)).error
    }
}

/// What a host tells a plugin of a caller who has gone.
struct Cancellation {
    let descriptor: Int32
    private let writing: Int32

    init() {
        var pipes: [Int32] = [-1, -1]
        pipe(&pipes)
        (descriptor, writing) = (pipes[0], pipes[1])
    }

    func cancel() { _ = write(writing, "x", 1) }

    func reset() {
        var byte: UInt8 = 0
        _ = read(descriptor, &byte, 1)
    }

    func close() {
        Glibc.close(descriptor)
        Glibc.close(writing)
    }
}

/// A thread of its own, as the host has for each call.
final class CallingThread: @unchecked Sendable {
    // Written before the semaphore is signalled, and read after.
    private var result: Result<ExportedAnswer, any Error> = .failure(CancellationError())
    private let ended = DispatchSemaphore(value: 0)

    init(_ work: @escaping @Sendable () throws -> ExportedAnswer) {
        Thread { [self] in
            result = Result(catching: work)
            ended.signal()
        }.start()
    }

    func join() throws -> ExportedAnswer {
        ended.wait()
        return try result.get()
    }
}
