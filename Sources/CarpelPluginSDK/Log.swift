import Glibc

/// Writes a line into the daemon's log, under the plugin's name. `print` does the same.
///
/// A line longer than 8 KiB is cut, and a plugin that writes more than a hundred lines a second loses some.
public func log(_ message: String) {
    // One write a line, so that the lines of several threads stay whole.
    var line = message
    line.append("\n")
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
