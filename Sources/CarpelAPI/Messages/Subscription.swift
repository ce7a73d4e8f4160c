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

/// The parameters of a subscription's notification, whose method is that which was subscribed to.
public struct SubscriptionNotification<Item: ProtoMessage>: Codable, Sendable {
    @Field public var subscription: String
    /// How many items were dropped just before this one, since the client read too slowly.
    @Field public var missed: UInt64
    /// Not in the last notification.
    @Field public var item: Item?
    /// Nothing comes after this.
    @Field public var end: Bool
    /// Why it ends, where it has failed.
    public var error: JSONRPC.ErrorObject?

    public init(subscription: String) { self.subscription = subscription }
}
