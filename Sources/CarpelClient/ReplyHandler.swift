import CarpelCore
import Foundation
import NIOCore

/// Hands each line to the calls that wait, and tells them of the connection's end.
final class ReplyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let calls: PendingCalls

    init(calls: PendingCalls) {
        self.calls = calls
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        calls.receive(Data(Self.unwrapInboundIn(data).readableBytesView))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        calls.end(error as? CarpelError)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        calls.end(nil)
        context.fireChannelInactive()
    }
}
