import Glibc

/// C strings and arrays that live as long as this does.
final class CStrings {
    private var strings: [UnsafeMutablePointer<CChar>] = []
    private var arrays: [UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>] = []

    deinit {
        for string in strings { string.deallocate() }
        for array in arrays { array.deallocate() }
    }

    /// A copy up to the first zero byte.
    func callAsFunction(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = Array(text.utf8.prefix { $0 != 0 })
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        strings.append(copy)
        return copy
    }

    /// An array that ends with a null pointer.
    func callAsFunction(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { array[index] = self(text) }
        array[texts.count] = nil
        arrays.append(array)
        return array
    }
}
