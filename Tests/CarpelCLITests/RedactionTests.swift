import CarpelCore
import Foundation
import Testing

@testable import CarpelCLI

@Suite struct RedactionTests {
    @Test(arguments: [
        "password", "DB_PASSWORD", "dbPass", "registryAuth", "GITHUB_TOKEN", "client-secret", "apiKey",
        "AWS_ACCESS_KEY_ID",
        "PSK", "sshPrivateKey", "Authorization", "tls.key",
    ])
    func namesOfSecretsAreKnown(_ name: String) { #expect(Redaction.isSecret(name)) }

    @Test(arguments: ["HOME", "path", "author", "keyboard", "monkeys_count", "compassion", "passes", "name", "digest"])
    func otherNamesAreNot(_ name: String) { #expect(!Redaction.isSecret(name)) }

    @Test(arguments: [
        #"{"envs":[{"key":"DB_PASSWORD","value":"aHVudGVyMg=="},{"key":"HOME","value":"L3Jvb3Q="}]}"#,
        #"{"env":["DB_PASSWORD=hunter2","HOME=/root"]}"#,
        #"{"configuration":{"upstream":{"token":"hunter2","port":5,"keys":["hunter2"]}}}"#,
        #"{"args":["--password","hunter2","--verbose"]}"#, #"{"args":["sh","-c","login --token=hunter2 -v"]}"#,
        #"{"url":"https://user:hunter2@example.org/x"}"#, #"{"pin":1234567}"#,
        #"{"labels":{"api-key":"hunter2"}}"#, #"{"nested":"{\"secret\":\"hunter2\"}"}"#,
        #"{"log":"sent Authorization: Bearer hunter2hunter2"}"#, #"{"log":"password is set: PASSWORD='hunter2 x'"}"#,
    ])
    func secretsAreTakenOut(_ text: String) throws {
        let redacted = Redaction.redacted(try JSONValue(text: text)).prettyText
        for secret in ["hunter2", "aHVudGVyMg==", "1234567"] { #expect(!redacted.contains(secret), "\(redacted)") }
        #expect(redacted.contains("[removed]"))
    }

    @Test(arguments: [
        #"{"envs":[{"key":"HOME","value":"L3Jvb3Q="}],"metadata":{"name":"web","uid":"1"},"exitCode":0,"tty":true}"#,
        #"{"machine":{"virtualCPUs":1,"bootLog":"/var/lib/carpel/pods/x/boot.log"},"digest":"sha256:0123abcd"}"#,
        #"{"args":["httpd","-f","-p","8080"],"image":"docker.io/library/busybox:1.37","keyless":null,"secret":true}"#,
    ])
    func everythingElseStays(_ text: String) throws {
        let value = try JSONValue(text: text)
        #expect(Redaction.redacted(value) == value)
    }
}
