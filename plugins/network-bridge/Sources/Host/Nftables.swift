import CNftables
import FoundationEssentials
import Synchronization

/// libnftables, in the network namespace of the thread that opens it. Not for several threads at once.
final class Nftables {
    private let context: OpaquePointer

    /// - Throws: ``NftablesError``.
    init() throws {
        guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw NftablesError(commands: "", message: "libnftables has no memory")
        }
        self.context = context
        nft_ctx_buffer_output(context)
        nft_ctx_buffer_error(context)
    }

    deinit { nft_ctx_free(context) }

    /// Runs commands of nft(8) as one transaction: all of them, or none.
    ///
    /// - Returns: what nft would print.
    /// - Throws: ``NftablesError``.
    @discardableResult
    func run(_ commands: String) throws -> String {
        nft_ctx_output_set_flags(context, 0)
        return try perform(commands)
    }

    /// What a `list` command finds.
    ///
    /// - Throws: ``NftablesError``.
    func list(_ command: String) throws -> [NftablesObject] {
        nft_ctx_output_set_flags(context, UInt32(NFT_CTX_OUTPUT_JSON))
        return try JSONDecoder().decode(NftablesListing.self, from: Data(perform(command).utf8)).nftables
    }

    private func perform(_ commands: String) throws -> String {
        var attempts = 1
        while true {
            let (result, output, complaint) = Self.library.withLock { _ in
                (
                    nft_run_cmd_from_buffer(context, commands),
                    nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? "",
                    nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
                )
            }
            if result == 0 { return output }
            let error = NftablesError(commands: commands, message: complaint)
            // Somebody else has changed rules while these were looked up.
            guard error.isInterrupted, attempts < 10 else { throw error }
            attempts += 1
        }
    }

    /// libnftables keeps some of its state outside of its contexts.
    private static let library = Mutex(())
}

/// Commands that nftables refused.
struct NftablesError: Error, CustomStringConvertible {
    let commands: String
    /// nft's own words.
    let message: String

    var isNotFound: Bool { message.contains("No such file or directory") }
    fileprivate var isInterrupted: Bool { message.contains("Interrupted system call") }

    var description: String {
        let words = message.split(separator: "\n").first.map(String.init) ?? "no reason given"
        return "nftables refused the rules: \(words)"
    }
}

struct NftablesListing: Decodable {
    let nftables: [NftablesObject]
}

/// What libnftables-json(5) lists, as far as it matters here.
struct NftablesObject: Decodable {
    struct Rule: Decodable {
        let chain: String
    }

    let rule: Rule?
}
