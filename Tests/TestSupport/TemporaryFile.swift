internal import Foundation

/// A path for a file of this test's own, which goes when the test is over.
package final class TemporaryFile: Sendable {
    package let path = NSTemporaryDirectory() + "simulator-tests-" + UUID().uuidString

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    package init() {}

    package func write(_ text: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }
}
