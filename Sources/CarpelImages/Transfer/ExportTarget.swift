/// Where the files of an exported layout go.
protocol ExportTarget {
    func add(_ name: String, _ bytes: [UInt8]) throws
    func add(_ name: String, contentsOf file: File) throws
    /// Makes everything durable.
    func finish() throws
}
