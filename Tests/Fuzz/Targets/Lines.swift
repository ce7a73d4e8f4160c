import CarpelAPI
import Foundation
import NIOCore
import NIOEmbedded

@testable import CarpelServer

extension FuzzTarget {
    /// The socket's bytes: cut into lines, however they arrive, and each line answered.
    static let lines = FuzzTarget(name: "lines", maximumLength: 4096) {
        let calls = [
            #"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":"v1"}}"#,
            #"[{"jsonrpc":"2.0","id":"a","method":"ListPodSandbox"},{"jsonrpc":"2.0","method":"Status"}]"#,
            #"{"jsonrpc":"2.0","id":null,"method":"StopContainer","params":{"containerId":"\ud83d\ude00","timeout":"5"}}"#,
            #"{"jsonrpc":"2.0","id":9007199254740993,"method":"Nope","params":[[[[{"a":"}]\\\""}]]]]}"#,
        ]
        return [[3] + calls.joined(separator: "\n").utf8 + [10], [0] + "[]\r\n\t\n{\"id\":1e400}\n".utf8]
            + calls.map { [255] + $0.utf8 + [10] }
    } run: { bytes in
        var input = Input(bytes)
        let pieceLength = Int(input.byte()) + 1
        let atOnce = try cut(input.rest, pieceLength: max(1, input.rest.count))
        let inPieces = try cut(input.rest, pieceLength: pieceLength)
        try Finding.require(atOnce == inPieces, "lines depend on how the bytes arrive")
        for case let line? in atOnce { try answer(line) }
    }

    private static let longestLine = 512

    /// The lines that the server sees; nil for one that it refuses.
    private static func cut(_ bytes: ArraySlice<UInt8>, pieceLength: Int) throws -> [Data?] {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish() }
        try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(LineDecoder(LineBudget(), maximumLength: longestLine)))
        var lines: [Data?] = []
        var rest = bytes
        while !rest.isEmpty {
            try channel.writeInbound(ByteBuffer(bytes: rest.prefix(pieceLength)))
            rest = rest.dropFirst(pieceLength)
            while let line = try channel.readInbound(as: Line.self) {
                switch line {
                case .complete(let bytes, _):
                    try Finding.require(bytes.readableBytes <= longestLine, "a line is too long")
                    lines.append(Data(bytes.readableBytesView))
                case .refused: lines.append(nil)
                case .frame: throw Finding("a frame of a connection that has none")
                }
            }
        }
        return lines
    }
}

private let context = CallContext(role: .admin) { _, _ in }

/// Has a line answered by every method of the socket, and checks that the answer is one.
func answer(_ line: Data) throws {
    guard let answer = try waiting({ await EveryMethod.dispatcher.answer(Array(line), context) }) else {
        return
    }
    try EveryMethod.throwFinding()
    try Finding.require(!answer.contains(10), "an answer has more than one line")
    let value = try? JSONSerialization.jsonObject(with: answer)
    guard let value else { throw Finding("an answer is no JSON: \(String(decoding: answer, as: UTF8.self))") }
    for case let item as [String: Any] in value as? [Any] ?? [value] {
        let error = item["error"] as? [String: Any]
        try Finding.require((error == nil) == (item["result"] != nil), "an answer is neither result nor error")
        let reason = (error?["data"] as? [String: Any])?["reason"] as? String
        try Finding.require(reason != "unexpected", "an error that nobody foresaw: \(error ?? [:])")
    }
}
