import AsyncHTTPClient
import CarpelCore
import NIOCore

/// Brings one blob into the store: verified while it comes, continued after a failure.
struct BlobDownload: Sendable {
    let session: RegistrySession
    let content: ContentStore
    let limits: ImageLimits

    /// - Parameter report: called with the bytes that have come.
    /// - Throws: `.dataLoss`/`digestMismatch` or `sizeMismatch` (nothing stays), `.unavailable` after all attempts
    ///   (what came stays, to be continued), `.resourceExhausted`/`noSpace`.
    func run(_ descriptor: Descriptor, report: @escaping @Sendable (Int64) -> Void) async throws {
        guard !content.has(descriptor) else { return }
        try descriptor.requireSize(atMost: limits.maxBlobBytes)
        let partial = try await PartialBlob(descriptor, path: content.partial(descriptor.digest))
        try FileSystem.requireSpace(
            for: descriptor.size - (await partial.count), reserve: limits.minimumFreeBytes, at: content.root)
        do {
            try await complete(partial, report)
            // The part from an earlier answer may be what is wrong: once more from the start.
            if await partial.digest != descriptor.digest, await partial.isResumed {
                try await partial.restart()
                try await complete(partial, report)
            }
            guard await partial.digest == descriptor.digest else {
                throw CarpelError(
                    .dataLoss, "digestMismatch",
                    "the registry's content for \(descriptor.digest) of \(session.reference) has the digest "
                        + "\(await partial.digest); push the image again")
            }
            try await partial.commit(to: content.blob(descriptor.digest))
        } catch let error as CarpelError where error.code == .dataLoss {
            try await partial.remove()
            throw error
        }
    }

    private func complete(_ partial: PartialBlob, _ report: @escaping @Sendable (Int64) -> Void) async throws {
        let what = "blob \(partial.expected.digest) of \(session.reference)"
        try await session.transfer.retrying(what, logger: session.logger) {
            await partial.beginAnswer()
            guard await !partial.isComplete else { return }
            let answer = try await session.blob(partial.expected.digest, from: partial.count)
            try await check(answer, partial)
            do {
                for try await chunk in answer.body {
                    try await partial.append(chunk)
                    report(await partial.count)
                }
            } catch {
                throw HTTPConnection.transportError(error, what)
            }
            guard await partial.isComplete else { throw partial.sizeMismatch("fewer than") }
        }
    }

    /// Makes sure that the answer's first byte is the one that `partial` waits for.
    private func check(_ answer: HTTPClientResponse, _ partial: PartialBlob) async throws {
        let start = await partial.count
        switch answer.status.code {
        case 200:
            // The server does not know ranges and sends everything.
            if start > 0 { try await partial.restart() }
        case 206:
            guard answer.headers.first(name: "Content-Range")?.hasPrefix("bytes \(start)-") == true else {
                try await partial.restart()
                throw CarpelError(
                    .unavailable, "invalidRange", "\(session.reference.registry) answers with another range than asked")
            }
        case 416:
            try await partial.restart()
            throw CarpelError(
                .unavailable, "invalidRange", "\(session.reference.registry) refuses to continue a download")
        case let status:
            throw RegistryAnswer.error(status, "blob \(partial.expected.digest) of \(session.reference)")
        }
    }
}
