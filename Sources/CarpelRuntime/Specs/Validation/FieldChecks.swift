import CarpelCore

extension CarpelError {
    /// A value that means nothing, on any runtime.
    static func invalid(_ field: String, _ message: String, reason: String = "fieldInvalid") -> CarpelError {
        CarpelError(.invalidArgument, reason, "\(field): \(message)", field: field)
    }

    /// A feature of CRI's that Carpel does not have.
    static func unsupported(_ field: String, _ reason: String, _ message: String) -> CarpelError {
        CarpelError(.unimplemented, reason, "\(field): \(message)", field: field)
    }
}

extension String {
    var holdsNUL: Bool { utf8.contains(0) }
    var holdsControlCharacter: Bool { utf8.contains { $0 < 0x20 || $0 == 0x7F } }
    var leavesFolder: Bool { split(separator: "/").contains("..") }
}

/// The name of an object: 253 bytes are what a Kubernetes name may have (RFC 1123 subdomain).
func checkName(_ name: String, at field: String) throws {
    guard !name.isEmpty else { throw CarpelError.missing(field) }
    try checkOptionalName(name, at: field)
}

func checkOptionalName(_ name: String, at field: String) throws {
    guard name.utf8.count <= 253, !name.holdsControlCharacter, !name.contains("/") else {
        throw CarpelError.invalid(field, "a name has at most 253 bytes, no slash and no control character")
    }
}

func checkAbsolutePath(_ path: String, at field: String) throws {
    guard path.hasPrefix("/"), !path.leavesFolder, !path.holdsNUL else {
        throw CarpelError.invalid(field, "\"\(path)\" is not a path that starts with / and is free of .. and NUL")
    }
}

/// containerd's limit: 4096 bytes a label, key and value together.
func checkLabels(_ labels: [String: String], at field: String) throws {
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
        guard !key.isEmpty else { throw CarpelError.invalid(field, "a label's key must not be empty") }
        guard key.utf8.count + value.utf8.count <= 4096, !key.holdsControlCharacter, !value.holdsNUL else {
            throw CarpelError.invalid(
                "\(field)[\(key.prefix(63))]",
                "key and value have at most 4096 bytes together and no control characters")
        }
    }
}

/// Kubernetes keeps at most 256 KiB of annotations an object; the kubelet adds its own to them.
func checkAnnotations(_ annotations: [String: String], at field: String) throws {
    guard !annotations.keys.contains("") else {
        throw CarpelError.invalid(field, "an annotation's key must not be empty")
    }
    let size = annotations.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    guard size <= 1 << 20 else {
        throw CarpelError.invalid(field, "\(size) bytes of annotations; Carpel keeps at most 1 MiB for each object")
    }
}
