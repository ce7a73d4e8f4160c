import CarpelClient
import CarpelJSON
import Foundation
import NIOCore
import NIOEmbedded
import Synchronization

@testable import CarpelPluginHost

extension FuzzTarget {
    /// The lines between the daemon and a plugin's host, which a plugin that has taken its host over may write.
    static let hostLines = FuzzTarget(name: "host-lines", maximumLength: 4096) {
        [
            #"{"jsonrpc":"2.0","id":1,"method":"start","params":{"name":"p","library":"/l.so","stateFolder":"/s","machineGroup":7,"account":{"user":1,"group":2},"capabilities":["CAP_NET_ADMIN"],"seccompProgram":"00ff","configuration":{"a":[1,2.5e3,"\u0041\ud83d\ude00"]}}}"#,
            #"{"jsonrpc":"2.0","id":2,"method":"call","params":{"verb":"ADD","deadline":18446744073709551615,"request":{"pod":null}}}"#,
            #"{"jsonrpc":"2.0","id":2,"method":"call","params":{"verb":"ADD","deadline":1,"requestBytes":"00ff"}}"#,
            #"{"jsonrpc":"2.0","method":"cancel","params":{"id":-9223372036854775808}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"result":{"abiVersion":1}}}"#,
            #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m","data":{"code":"INTERNAL","reason":"r"}}}"#,
        ].map { Array($0.utf8) + [10] }
    } run: { bytes in
        for line in bytes.split(separator: 10) {
            if let message = try? HostMessage(line: Array(line)), case .call(let call) = message {
                _ = JSONScanner.isObject(call.request)
            }
            try checkScanner(Array(line))
        }
        try checkReplies(bytes)
    }

    /// What the host hands on as an object is one for whoever reads it, but for halves of surrogate pairs.
    private static func checkScanner(_ line: [UInt8]) throws {
        struct Anything: Decodable {
            init(from decoder: any Decoder) {}
        }
        guard JSONScanner.isObject(line), !String(decoding: line, as: UTF8.self).contains(#"\u"#) else { return }
        do { _ = try JSONDecoder().decode([String: Anything].self, from: Data(line)) } catch {
            throw Finding("the host takes for an object what is none: \(error)")
        }
    }

    /// Each call gets one answer: its line, an error, or the end of the connection.
    private static func checkReplies(_ bytes: [UInt8]) throws {
        let peer = Peer(name: "the plugin's host", maximumAnswerLength: 1024)
        let calls = PendingCalls(of: peer)
        let answers = Mutex(0)
        for _ in 0..<2 {
            calls.wait(for: calls.nextID(), method: "call") { _ in answers.withLock { $0 += 1 } }
        }
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(LineDecoder(of: peer)), ReplyHandler(calls: calls),
        ])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/host")).wait()
        var rest = bytes[...]
        while !rest.isEmpty {
            _ = try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(100)))
            rest = rest.dropFirst(100)
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        let count = answers.withLock { $0 }
        try Finding.require(count == 2, "2 calls got \(count) answers")
    }
}
