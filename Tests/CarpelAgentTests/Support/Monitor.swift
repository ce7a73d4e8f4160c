import Foundation
import TestSupport

/// QEMU's monitor (QMP): one command after the other.
actor Monitor {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = try connectedSocket(path)
        _ = try Self.readLine(descriptor)  // The greeting.
        try Self.execute(#"{"execute": "qmp_capabilities"}"#, descriptor)
    }

    deinit { close(descriptor) }

    @discardableResult func execute(_ command: String) throws -> String { try Self.execute(command, descriptor) }

    @discardableResult private static func execute(_ command: String, _ descriptor: Int32) throws -> String {
        let line = command + "\n"
        guard write(descriptor, line, line.utf8.count) == line.utf8.count else { throw SupportError("QMP write") }
        while true {
            let answer = try readLine(descriptor)
            if answer.contains("\"error\"") { throw SupportError("\(command): \(answer)") }
            if answer.contains("\"return\"") { return answer }
        }
    }

    private static func readLine(_ descriptor: Int32) throws -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1 {
            if byte == 0x0A { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        throw SupportError("QEMU closed its monitor")
    }
}
