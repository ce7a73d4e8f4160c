import CCarpelPlugin
import CarpelJSON
import Glibc

/// A plugin's library with the handle that it has made. It is never unloaded: what a library has started may run on.
///
/// The table and the handle are constant, and the interface lets every thread call them.
struct LoadedPlugin: @unchecked Sendable {
    /// The interface that the library was compiled with.
    let abiVersion: UInt32
    private let table: carpel_plugin
    private let handle: UnsafeMutableRawPointer

    private typealias Entry = @convention(c) () -> UnsafeRawPointer?

    /// Versions of the interface that this host can speak.
    private static let abiVersions: ClosedRange<UInt32> = 1...UInt32(CARPEL_PLUGIN_ABI_VERSION)
    /// Bytes of an answer.
    private static let mostAnswerLength = 16 << 20

    /// - Throws: ``HostFailure``; ``CreationFailure`` if the plugin itself refuses.
    init(_ request: StartRequest) throws {
        table = try Self.loadTable(request.library)
        abiVersion = table.abi_version
        handle = try Self.create(table, request)
    }

    /// The plugin's answer to `create`: `{"error": …}`.
    struct CreationFailure: Error {
        let answer: [UInt8]
    }

    private static func loadTable(_ path: String) throws -> carpel_plugin {
        guard access(path, F_OK) == 0 else {
            throw HostFailure(.notFound, "libraryMissing", "\(path): \(String(cString: strerror(errno)))")
        }
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw HostFailure(.failedPrecondition, "libraryNotLoadable", loaderText(path))
        }
        guard let symbol = dlsym(library, "carpel_plugin") else {
            throw HostFailure(
                .failedPrecondition, "symbolMissing",
                "\(path) exports no function carpel_plugin, which every plugin has (carpel_plugin.h)")
        }
        guard let pointer = unsafeBitCast(symbol, to: Entry.self)() else {
            throw HostFailure(.failedPrecondition, "tableMissing", "carpel_plugin() of \(path) has returned NULL")
        }
        return try checkedTable(pointer, path)
    }

    private static func loaderText(_ path: String) -> String {
        dlerror().map { String(cString: $0) } ?? "\(path) cannot be loaded"
    }

    private static func checkedTable(_ pointer: UnsafeRawPointer, _ path: String) throws -> carpel_plugin {
        let version = pointer.load(as: UInt32.self)
        guard abiVersions.contains(version) else {
            let isNew = version > abiVersions.upperBound
            throw HostFailure(
                .failedPrecondition, isNew ? "abiTooNew" : "abiTooOld",
                "\(path) was made for version \(version) of carpel_plugin.h, and this node speaks "
                    + "\(abiVersions.lowerBound) to \(abiVersions.upperBound): "
                    + (isNew ? "upgrade Carpel or build the plugin with this node's header" : "build the plugin anew"))
        }
        let size = pointer.load(
            fromByteOffset: MemoryLayout<carpel_plugin>.offset(of: \.struct_size) ?? 0, as: Int.self)
        guard size >= MemoryLayout<carpel_plugin>.size else {
            throw HostFailure(
                .failedPrecondition, "tableTooSmall",
                "\(path)'s table has \(size) bytes, version 1 has \(MemoryLayout<carpel_plugin>.size): "
                    + "set struct_size to sizeof(struct carpel_plugin)")
        }
        let table = pointer.load(as: carpel_plugin.self)
        let functions = [
            ("create", table.create == nil), ("call", table.call == nil), ("free_buffer", table.free_buffer == nil),
            ("destroy", table.destroy == nil),
        ]
        if let missing = functions.first(where: \.1)?.0 {
            throw HostFailure(.failedPrecondition, "functionMissing", "\(path)'s table has no function \(missing)")
        }
        return table
    }

    private static func create(_ table: carpel_plugin, _ request: StartRequest) throws -> UnsafeMutableRawPointer {
        var answer = carpel_buffer()
        let handle = request.name.withCString { name in
            request.stateFolder.withCString { folder in
                request.configuration.withUnsafeBufferPointer { configuration in
                    var environment = carpel_environment(
                        struct_size: MemoryLayout<carpel_environment>.size, name: name, state_folder: folder,
                        configuration: carpel_buffer(bytes: configuration.baseAddress, length: configuration.count),
                        machine_group: request.machineGroup)
                    return table.create(&environment, &answer)
                }
            }
        }
        if let handle { return handle }
        let bytes = Array(UnsafeBufferPointer(start: answer.bytes, count: answer.bytes == nil ? 0 : answer.length))
        guard JSONScanner.isObject(bytes) else {
            throw HostFailure(
                .failedPrecondition, "createFailed", "the plugin's create has returned NULL and no JSON that says why")
        }
        throw CreationFailure(answer: bytes)
    }

    /// Calls the plugin on the calling thread.
    ///
    /// - Parameter cancelled: becomes readable when the caller no longer wants the answer.
    /// - Throws: ``HostFailure`` with `answerTooLong` or `answerMalformed`.
    func call(_ request: CallRequest, cancelled: Int32) throws -> [UInt8] {
        var answer = carpel_buffer()
        request.verb.withCString { verb in
            request.request.withUnsafeBufferPointer { bytes in
                var call = carpel_call(
                    struct_size: MemoryLayout<carpel_call>.size, verb: verb,
                    request: carpel_buffer(bytes: bytes.baseAddress, length: bytes.count), deadline: request.deadline,
                    cancelled: cancelled)
                table.call(handle, &call, &answer)
            }
        }
        defer { if answer.bytes != nil { table.free_buffer(handle, answer) } }
        guard answer.length <= Self.mostAnswerLength else {
            throw HostFailure(
                .resourceExhausted, "answerTooLong",
                "the answer to \(request.verb) has \(answer.length) bytes, and may have 16 MiB")
        }
        let bytes = Array(UnsafeBufferPointer(start: answer.bytes, count: answer.bytes == nil ? 0 : answer.length))
        guard JSONScanner.isObject(bytes) else {
            throw HostFailure(
                .internal, "answerMalformed",
                "the answer to \(request.verb) is no JSON object: \(Self.excerpt(bytes))")
        }
        return bytes
    }

    private static func excerpt(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "it is empty" : "\"\(String(decoding: bytes.prefix(80), as: UTF8.self))\""
    }

    /// To be called once, after the last call.
    func destroy() { table.destroy(handle) }
}
