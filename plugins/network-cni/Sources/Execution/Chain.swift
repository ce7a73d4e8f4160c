import CarpelCore
import CarpelPluginSDK
import Foundation

/// The plugins of one network, run in order for one attachment.
///
/// Source: CNI specification 1.1.0, section 3.
struct Chain: Sendable {
    let network: NetworkConfiguration
    let version: CNIVersion
    let programs: CNIPrograms
    let attachment: CNICall.Attachment
    /// What is asked for beyond the configuration, by capability.
    let capabilityArguments: [String: JSONValue]
    let record: RunningProgram

    /// ADD.
    ///
    /// - Returns: the last plugin's result.
    func add() async throws -> JSONValue {
        var result: JSONValue?
        for plugin in network.plugins {
            let call = call(.add, plugin, previous: result)
            result = try parsed(try await programs.run(call, record: record), call)
        }
        guard let result else { throw CancellationError() }
        return result
    }

    /// DEL, backwards, of all the plugins even if one fails. What a plugin does not know is fine.
    ///
    /// - Parameter result: of ADD, if there is one.
    func delete(_ result: JSONValue?) async throws {
        var failures: [CNIFailure] = []
        for plugin in network.plugins.reversed() {
            let known = version >= .withCheck ? result : nil
            do {
                _ = try await programs.run(call(.delete, plugin, previous: known), record: record)
            } catch let failure as CNIFailure where failure.isUnknownContainer {
                log("network \"\(network.name)\": \(plugin.type) does not know \(attachment.containerID)")
            } catch let failure as CNIFailure {
                failures.append(failure)
            }
        }
        if let failure = failures.first { throw failure }
    }

    /// CHECK, unless the configuration or its version has none.
    ///
    /// - Parameter result: of ADD.
    func check(_ result: JSONValue) async throws {
        guard version >= .withCheck, !network.disableCheck else { return }
        for plugin in network.plugins {
            _ = try await programs.run(call(.check, plugin, previous: result), record: record)
        }
    }

    private func call(_ verb: CNIVerb, _ plugin: NetworkConfiguration.Plugin, previous: JSONValue?) -> CNICall {
        var input = plugin.input(of: network, version)
        let arguments = capabilityArguments.filter { plugin.capabilities.contains($0.key) }
        if !arguments.isEmpty { input["runtimeConfig"] = .object(arguments) }
        if let previous { input["prevResult"] = previous }
        return CNICall(
            verb: verb, plugin: plugin.type, network: network.name, input: .object(input), attachment: attachment)
    }

    private func parsed(_ output: [UInt8], _ call: CNICall) throws -> JSONValue {
        guard let answer = try? JSONDecoder().decode(JSONValue.self, from: Data(output)),
            case .object(var members) = answer
        else {
            throw CNIFailure(
                call, .unintelligible("it says that all is well, but its answer is no result: \(output.excerpt)"))
        }
        do {
            _ = try CNIResult(answer)
        } catch let error as DecodingError {
            throw CNIFailure(call, .unintelligible("its result is not CNI's: \(error.account)"))
        }
        // Some leave it out, and the next one cannot read the result then.
        if members["cniVersion"] == nil { members["cniVersion"] = .string(version.description) }
        return .object(members)
    }
}

/// The verbs that are about a network and no pod: from CNI 1.1.0 on.
struct NetworkChain: Sendable {
    let network: NetworkConfiguration
    let version: CNIVersion
    let programs: CNIPrograms

    /// GC, of all the plugins even if one fails.
    ///
    /// - Parameter valid: what stays.
    func collectGarbage(valid: [CNICall.Attachment]) async throws {
        guard version >= .withCollection, !network.disableGarbageCollection else { return }
        let list = JSONValue.array(
            valid.map { ["containerID": .string($0.containerID), "ifname": .string($0.interfaceName)] }
                .map(JSONValue.object))
        var failures: [any Error] = []
        for plugin in network.plugins {
            // The specification was first published with the second name.
            let members = ["cni.dev/valid-attachments": list, "cni.dev/attachments": list]
            do { try await run(.collectGarbage, plugin, members) } catch { failures.append(error) }
        }
        if let failure = failures.first { throw failure }
    }

    /// STATUS.
    func status() async throws {
        guard version >= .withCollection else { return }
        for plugin in network.plugins { try await run(.status, plugin, [:]) }
    }

    private func run(
        _ verb: CNIVerb, _ plugin: NetworkConfiguration.Plugin, _ members: [String: JSONValue]
    ) async throws {
        let input = plugin.input(of: network, version).merging(members) { $1 }
        _ = try await programs.run(
            CNICall(verb: verb, plugin: plugin.type, network: network.name, input: .object(input), attachment: nil))
    }
}

extension NetworkConfiguration.Plugin {
    /// What every verb's input has.
    fileprivate func input(of network: NetworkConfiguration, _ version: CNIVersion) -> [String: JSONValue] {
        var input = members
        input["name"] = .string(network.name)
        input["cniVersion"] = .string(version.description)
        for member in ["capabilities", "cniVersions", "runtimeConfig", "prevResult"] { input[member] = nil }
        return input
    }
}

extension CNIResult {
    /// - Throws: `DecodingError`.
    init(_ value: JSONValue) throws {
        self = try JSONDecoder().decode(CNIResult.self, from: JSONEncoder().encode(value))
    }
}
