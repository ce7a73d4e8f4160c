import CCarpelPlugin
import Foundation
import NetworkCNI
import Synchronization

/// A process that holds the plugin as Carpel's plugin host does, over the same C interface, but takes the calls from
/// stdin: the tests start it in namespaces of their own, and kill it.
///
/// Arguments: the state folder, the configuration's file, the machines' group. A line is
/// `{"id": 1, "verb": "ADD", "request": {…}}` or `{"cancel": 1}`; the answer `{"id": 1, "answer": {…}}`.
@main
struct Driver: Sendable {
    static func main() throws {
        guard CommandLine.arguments.count == 4, let group = UInt32(CommandLine.arguments[3]) else { exit(2) }
        let configuration = FileManager.default.contents(atPath: CommandLine.arguments[2]) ?? Data()
        let plugin = LoadedPlugin(stateFolder: CommandLine.arguments[1], configuration: configuration, group: group)
        guard let plugin else { exit(1) }
        say(#"{"created": true}"#)
        let calls = Calls(plugin: plugin)
        while let line = readLine() { try calls.take(Data(line.utf8)) }
    }
}

private let output = Mutex(())

private func say(_ line: String) {
    output.withLock { _ in
        let bytes = Array((line + "\n").utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}

/// The calls under way, each on a thread of its own as in the plugin host.
private final class Calls: Sendable {
    private let plugin: LoadedPlugin
    /// The writing ends of the pipes that cancel them.
    private let cancellations = Mutex<[Int: Int32]>([:])

    init(plugin: LoadedPlugin) { self.plugin = plugin }

    func take(_ line: Data) throws {
        guard let message = try JSONSerialization.jsonObject(with: line) as? [String: Any] else { return }
        if let id = message["cancel"] as? Int {
            cancellations.withLock { if let end = $0[id] { _ = write(end, "x", 1) } }
            return
        }
        guard let id = message["id"] as? Int, let verb = message["verb"] as? String else { return }
        let request = try JSONSerialization.data(withJSONObject: message["request"] ?? [:])
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { exit(3) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reading, writing) = (ends[0], ends[1])
        cancellations.withLock { $0[id] = writing }
        Thread { [self] in
            let answer = plugin.perform(verb, request, cancelled: reading)
            cancellations.withLock { _ = $0.removeValue(forKey: id) }
            close(reading)
            close(writing)
            say(#"{"id": \#(id), "answer": \#(String(decoding: answer, as: UTF8.self))}"#)
        }.start()
    }
}

/// The table's functions may be called from any thread, so the pointers may be, too.
private final class LoadedPlugin: @unchecked Sendable {
    private let table: carpel_plugin
    private let handle: UnsafeMutableRawPointer

    /// nil if the plugin refuses; its answer is said.
    init?(stateFolder: String, configuration: Data, group: UInt32) {
        table = carpelPlugin().assumingMemoryBound(to: carpel_plugin.self).pointee
        var answer = carpel_buffer(bytes: nil, length: 0)
        let made = configuration.withUnsafeBytes { [table] bytes in
            "network-cni".withCString { name in
                stateFolder.withCString { folder in
                    var environment = carpel_environment(
                        struct_size: MemoryLayout<carpel_environment>.size, name: name, state_folder: folder,
                        configuration: carpel_buffer(
                            bytes: bytes.bindMemory(to: UInt8.self).baseAddress, length: bytes.count),
                        machine_group: group)
                    return table.create(&environment, &answer)
                }
            }
        }
        guard let made else {
            let refusal = answer.bytes.map { Data(bytes: $0, count: answer.length) } ?? Data("null".utf8)
            say(#"{"created": false, "answer": \#(String(decoding: refusal, as: UTF8.self))}"#)
            return nil
        }
        handle = made
    }

    func perform(_ verb: String, _ request: Data, cancelled: Int32) -> Data {
        var answer = carpel_buffer(bytes: nil, length: 0)
        request.withUnsafeBytes { bytes in
            verb.withCString { verb in
                var call = carpel_call(
                    struct_size: MemoryLayout<carpel_call>.size, verb: verb,
                    request: carpel_buffer(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, length: bytes.count),
                    deadline: .max, cancelled: cancelled)
                table.call(handle, &call, &answer)
            }
        }
        defer { table.free_buffer(handle, answer) }
        return answer.bytes.map { Data(bytes: $0, count: answer.length) } ?? Data()
    }
}
