/// The answer to a method that streams: its items follow as notifications on the same connection.
public struct SubscriptionResponse: ProtoMessage {
    @Field public var subscription: String
    public init() {}
}

/// Carpel's own: ends a subscription of this connection. One that has ended is fine.
public struct UnsubscribeRequest: ProtoMessage {
    @Field public var subscription: String
    public init() {}
}
