extension PluginManifest {
    /// What plugin.json must look like: a JSON Schema.
    public static let schema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "plugin.json of a Carpel plugin",
          "type": "object",
          "required": ["name", "kind", "version", "api", "library"],
          "additionalProperties": false,
          "properties": {
            "$schema": { "type": "string" },
            "name": {
              "description": "What the daemon's configuration calls the plugin.",
              "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63
            },
            "kind": { "type": "string", "enum": ["network", "storage"] },
            "version": {
              "description": "The plugin's own, by semver.org.",
              "type": "string",
              "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$"
            },
            "description": { "type": "string", "maxLength": 1024 },
            "api": {
              "description": "The versions of carpel_plugin.h that the library can serve.",
              "type": "object",
              "required": ["minimum", "maximum"],
              "additionalProperties": false,
              "properties": {
                "minimum": { "type": "integer", "minimum": 1, "maximum": 1000000 },
                "maximum": { "type": "integer", "minimum": 1, "maximum": 1000000 }
              }
            },
            "library": {
              "description": "The shared library, from the plugin's folder.",
              "type": "string", "minLength": 1
            },
            "capabilities": {
              "description": "What the plugin needs of capabilities(7); nothing if absent.",
              "type": "array", "items": { "type": "string" }
            },
            "seccomp": {
              "description": "network, storage, strict, or a profile's file (JSON), from the plugin's folder. The kind's own if absent.",
              "type": "string", "minLength": 1
            },
            "configurationSchema": {
              "description": "A JSON Schema of the plugin's configuration; none if the plugin has nothing to configure.",
              "type": "object", "additionalProperties": true
            }
          }
        }
        """#
}
