import CarpelAPI
import CarpelCore
import Foundation
import Synchronization
import Testing

@Suite struct ProtoJSONTests {
    private func decode<Message: ProtoMessage>(_ text: String, as type: Message.Type = Message.self) throws -> Message {
        try JSONDecoder().decode(Message.self, from: Data(text.utf8))
    }

    private func encode(_ message: some ProtoMessage) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(message))
        return try #require(object as? [String: Any])
    }

    @Test(arguments: [
        (#"{"Avg10": 1.5}"#, 1.5), (#"{"Avg10": "1.5"}"#, 1.5), (#"{"Avg10": 2}"#, 2.0),
        (#"{"Avg10": "-Infinity"}"#, -Double.infinity),
    ])
    func doublesAreReadAsNumberAndAsString(_ text: String, _ value: Double) throws {
        #expect(try decode(text, as: PsiData.self).Avg10 == value)
    }

    @Test func doublesThatJSONHasNoNumberForAreWrittenAsStrings() throws {
        let message = try encode(
            PsiData {
                $0.Avg10 = .nan; $0.Avg60 = -.infinity; $0.Avg300 = 0.25
            })
        #expect(message["Avg10"] as? String == "NaN")
        #expect(message["Avg60"] as? String == "-Infinity")
        #expect(message["Avg300"] as? Double == 0.25)
    }

    @Test(arguments: [#"{"Avg10": "1e999"}"#, #"{"Avg10": "inf"}"#, #"{"Avg10": true}"#, #"{"Avg10": ""}"#])
    func wrongDoublesAreErrors(_ text: String) {
        #expect(throws: DecodingError.self) { try decode(text, as: PsiData.self) }
    }

    @Test func absentAndNullFieldsAreTheDefault() throws {
        #expect(try decode("{}") == PodSandboxConfig())
        #expect(try decode(#"{"hostname": null, "metadata": null, "labels": null}"#) == PodSandboxConfig())
    }

    @Test(arguments: [#"{"memoryLimitInBytes": 9007199254740993}"#, #"{"memoryLimitInBytes": "9007199254740993"}"#])
    func sixtyFourBitNumbersAreReadAsNumberAndAsString(_ text: String) throws {
        #expect(try decode(text, as: LinuxContainerResources.self).memoryLimitInBytes == 9_007_199_254_740_993)
    }

    @Test func sixtyFourBitNumbersAreWrittenAsStrings() throws {
        let message = try encode(ContainerStatus { $0.createdAt = 1_700_000_000_000_000_000 })
        #expect(message["createdAt"] as? String == "1700000000000000000")
        #expect(message["exitCode"] as? Int == 0)
    }

    @Test(arguments: [#"{"state": "CONTAINER_EXITED"}"#, #"{"state": 2}"#])
    func enumerationsAreReadByNameAndNumber(_ text: String) throws {
        #expect(try decode(text, as: ContainerStateValue.self).state == .CONTAINER_EXITED)
    }

    @Test func enumerationsAreWrittenByNameAlsoTheDefault() throws {
        #expect(try encode(PodSandboxStatus())["state"] as? String == "SANDBOX_READY")
    }

    /// Each kind of value has a way of its own into the text.
    @Test func everyKindOfFieldIsWritten() throws {
        func text(_ message: some ProtoMessage) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(message), as: UTF8.self)
        }
        #expect(
            try text(
                DNSConfig {
                    $0.servers = ["10.0.0.1", "\"\u{1}/"]
                }) == #"{"options":[],"searches":[],"servers":["10.0.0.1","\"\u0001/"]}"#)
        #expect(
            try text(
                LinuxContainerUser {
                    $0.uid = -1
                    $0.supplementalGroups = [1, .max]
                }) == #"{"gid":"0","supplementalGroups":["1","9223372036854775807"],"uid":"-1"}"#)
        #expect(
            try text(ContainerFilter { $0.labelSelector = ["a.b/c": "d", "": ""] })
                == #"{"id":"","labelSelector":{"":"","a.b/c":"d"},"podSandboxId":""}"#)
        #expect(
            try text(
                UserNamespace {
                    $0.mode = .NODE
                    $0.uids = [IDMapping { $0.hostId = .max }, IDMapping()]
                })
                == #"{"gids":[],"mode":"NODE","uids":[{"containerId":0,"hostId":4294967295,"length":0},{"containerId":0,"hostId":0,"length":0}]}"#
        )
        #expect(
            try text(
                ExecSyncResponse {
                    $0.stdout = Data("hi?>".utf8)
                    $0.exitCode = -1
                }) == #"{"exitCode":-1,"stderr":"","stdout":"aGk/Pg=="}"#)
        #expect(try text(ContainerStatusRequest { $0.verbose = true }) == #"{"containerId":"","verbose":true}"#)
    }

    @Test func unsetMessagesAreLeftOut() throws {
        let message = try encode(PodSandboxStatus())
        #expect(message["metadata"] == nil)
        #expect((message["labels"] as? [String: String])?.isEmpty == true)
    }

    @Test(arguments: [#"{"stdout": "aGk/Pg=="}"#, #"{"stdout": "aGk_Pg"}"#])
    func bytesAreBase64InBothAlphabets(_ text: String) throws {
        #expect(try decode(text, as: ExecSyncResponse.self).stdout == Data("hi?>".utf8))
    }

    @Test(arguments: [
        #"{"state": "RUNNING"}"#, #"{"state": 9}"#, #"{"state": {}}"#,
    ])
    func wrongEnumerationsAreErrors(_ text: String) {
        #expect(throws: DecodingError.self) { try decode(text, as: ContainerStateValue.self) }
    }

    @Test(arguments: [
        #"{"timeout": "soon"}"#, #"{"timeout": 1.5}"#, #"{"timeout": 99999999999999999999}"#, #"{"cmd": "ls"}"#,
        #"{"cmd": [1]}"#,
    ])
    func wrongTypesAreErrors(_ text: String) {
        #expect(throws: DecodingError.self) { try decode(text, as: ExecSyncRequest.self) }
    }

    @Test func everyMessageSurvivesItsOwnEncoding() throws {
        let config = ContainerConfig {
            $0.metadata = ContainerMetadata { $0.name = "web" }
            $0.envs = [
                KeyValue {
                    $0.key = "A"; $0.value = Data("b".utf8)
                }
            ]
            $0.stopSignal = .SIGNAL_SIGRTMINPLUS3
            $0.linux = LinuxContainerConfig {
                $0.resources = LinuxContainerResources { $0.cpuQuota = -1 }
                $0.securityContext = LinuxContainerSecurityContext { $0.runAsUser = Int64Value { $0.value = 7 } }
            }
        }
        #expect(try JSONDecoder().decode(ContainerConfig.self, from: JSONEncoder().encode(config)) == config)
    }

    @Test func unknownFieldsAreNamedByTheirPath() throws {
        let text =
            #"{"config": {"colour": 1, "linux": {"sysctls": {"any.key": "1"}, "hue": 2}, "portMappings": [{}, {"port": 1}], "windows": {"x": 1}}}"#
        let unknown = Mutex<[String]>([])
        _ = try RunPodSandboxRequest(json: Data(text.utf8)) { path in unknown.withLock { $0.append(path) } }
        #expect(
            unknown.withLock { $0.sorted() } == [
                "config.colour", "config.linux.hue", "config.portMappings[1].port", "config.windows.x",
            ])
    }

    @Test func fieldsHaveCRIsJSONNames() {
        #expect(ContainerConfig.fields.map(\.name).contains("CDIDevices"))
        #expect(PsiData.fields.map(\.name) == ["Total", "Avg10", "Avg60", "Avg300"])
        #expect(LinuxContainerSecurityContext.fields.map(\.name).contains("runAsUsername"))
    }
}

@Suite struct ErrorObjectTests {
    @Test func errorsTravelUnchanged() throws {
        let error = CarpelError(.invalidArgument, "fieldInvalid", "no", field: "config.linux")
        let failure = JSONRPC.Failure(id: .number(1), error: .init(error))
        let read = try JSONDecoder().decode(JSONRPC.Failure.self, from: JSONEncoder().encode(failure))
        #expect(read.error.error == error)
        #expect(read.error.code == -32000)
    }
}
