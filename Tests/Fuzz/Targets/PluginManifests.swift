import CarpelCore
import Foundation

@testable import CarpelPlugins

extension FuzzTarget {
    /// A plugin.json, and behind a zero byte a configuration that is checked against its schema.
    static let pluginManifests = FuzzTarget(name: "plugin-manifests", maximumLength: 8192) {
        let manifest = #"""
            {"name": "network-bridge", "kind": "network", "version": "1.2.3-rc.1+b",
             "api": {"minimum": 1, "maximum": 4}, "library": "lib/libNetworkBridge.so", "description": "d",
             "capabilities": ["CAP_NET_ADMIN", "CAP_BPF"], "seccomp": "profiles/mine.json",
             "configurationSchema": {"type": "object", "required": ["mtu"], "properties": {
               "mtu": {"type": ["integer", "null"], "minimum": 68, "maximum": 65535}, "mode": {"enum": ["a", 1, null]},
               "ranges": {"type": "array", "items": {"type": "string", "pattern": "^[0-9.]+/[0-9]+$"}, "minItems": 1}},
               "additionalProperties": {"type": "boolean"}}}
            """#
        let configuration = #"{"mtu":1500,"mode":"a","ranges":["10.0.0.0/8"],"x":true}"#
        return [
            Array(manifest.utf8), manifest.utf8 + [0] + configuration.utf8,
            manifest.utf8 + [0] + #"{"mtu":1.5,"mdoe":2,"ranges":[]}"#.utf8,
            Array(
                #"{"name":"a","kind":"storage","version":"1.0.0","api":{"minimum":1,"maximum":1},"library":"l"}"#.utf8),
        ]
    } run: { bytes in
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        do {
            let manifest = try PluginManifest(text: Array(parts[0]), folder: "/plugins/a", path: "plugin.json")
            try Finding.require(manifest.library.hasPrefix("/plugins/a/"), "the library is elsewhere")
            guard parts.count > 1 else { return }
            let configuration = try JSONNode(text: Array(parts[1])).value
            try manifest.check(configuration)
        } catch let error as CarpelError {
            _ = error.description
        } catch is JSONSyntaxError {
        }
    }
}
