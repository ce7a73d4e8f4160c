import CarpelCore
import Foundation
import NIOCore

/// Hands each line to the calls that wait, and tells them of the connection's end.
package final class ReplyHandler: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer

    private let calls: PendingCalls

    package init(calls: PendingCalls) {
        self.calls = calls
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        calls.receive(Data(Self.unwrapInboundIn(data).readableBytesView))
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        calls.end(error as? CarpelError)
        context.close(promise: nil)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        calls.end(nil)
        context.fireChannelInactive()
    }
}
