import CarpelCore
import CarpelPluginSDK
import Foundation

/// A plugin that can be called, whatever hosts it.
protocol PluginCalling: Sendable {
    var name: String { get }
    var limits: PluginLimits { get }

    /// - Parameter request: a JSON object's text.
    /// - Returns: the plugin's answer: `{"result": …}` or `{"error": …}`.
    /// - Throws: `CarpelError`, see ``NetworkCalls``.
    func call(_ verb: String, _ request: CallBody, timeout: Duration, use: AttachmentUse) async throws -> Data

    /// To be told what the plugin has answered a call that used an attachment.
    func settle(_ use: AttachmentUse, succeeded: Bool) async
}

extension PluginCalling {
    func typedCall<Request: Encodable & Sendable, Answer: Decodable & Sendable>(
        _ verb: String, _ request: Request, timeout: Duration?, use: AttachmentUse
    ) async throws -> Answer {
        let body = CallBody.json(try JSONEncoder().encode(request))
        let timeout = timeout ?? limits.call
        let begin = ContinuousClock.now
        let bytes = try await call(verb, body, timeout: timeout, use: use)
        let answer: PluginAnswer<Answer>
        do {
            answer = try JSONDecoder().decode(PluginAnswer<Answer>.self, from: bytes)
        } catch {
            await settle(use, succeeded: false)
            throw malformed(verb, describe(error))
        }
        switch answer {
        case .result(let result):
            await settle(use, succeeded: true)
            return result
        case .error(let error):
            await settle(use, succeeded: false)
            if error.code == .cancelled && !Task.isCancelled && ContinuousClock.now - begin >= timeout {
                // The plugin cannot tell who has cancelled it: here it was the clock.
                throw CarpelError(
                    .deadlineExceeded, "deadlineExceeded", "\(verb) of the plugin \(name) took longer than \(timeout)")
            }
            throw CarpelError(error, of: name)
        }
    }

    func malformed(_ verb: String, _ problem: String) -> CarpelError {
        CarpelError(
            .internal, "answerMalformed",
            "the plugin \(name) has answered \(verb) with something else: \(problem); "
                + "`carpel plugin check` tells what a plugin must answer")
    }
}

/// The request of a call.
enum CallBody: Sendable {
    /// A JSON object's text in one line.
    case json(Data)
    /// Anything: what no daemon sends.
    case bytes(Data)
}

/// What a plugin answers.
enum PluginAnswer<Result: Decodable>: Decodable {
    case result(Result)
    case error(PluginError)

    private enum CodingKeys: String, CodingKey { case result, error }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        if let error = try members.decodeIfPresent(PluginError.self, forKey: .error) {
            self = .error(error)
        } else {
            self = .result(try members.decode(Result.self, forKey: .result))
        }
    }
}

extension PluginAnswer: Sendable where Result: Sendable {}

extension CarpelError {
    init(_ error: PluginError, of plugin: String) {
        self.init(
            Code(rawValue: error.code.rawValue) ?? .unknown, error.reason, "plugin \(plugin): \(error.message)")
    }
}

/// The member at fault and what is wrong with it, in one line.
func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, let context):
        return "\(path(context.codingPath + [key])) is missing"
    case .valueNotFound(_, let context):
        return "\(path(context.codingPath)) must not be null"
    case .typeMismatch(_, let context), .dataCorrupted(let context):
        return "\(path(context.codingPath)): \(context.debugDescription)"
    @unknown default:
        return "\(error)"
    }
}

private func path(_ keys: [any CodingKey]) -> String {
    let path = keys.reduce("") { path, key in key.intValue.map { "\(path)[\($0)]" } ?? "\(path).\(key.stringValue)" }
    return path.isEmpty ? "the answer" : String(path.drop { $0 == "." })
}
