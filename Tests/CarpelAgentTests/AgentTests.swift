import Testing

/// The real agent in real machines: one after the other, each suite in one of its own.
@Suite(.serialized) struct AgentTests {}
