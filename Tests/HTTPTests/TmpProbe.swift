import Foundation
import HTTP
import Testing
@Suite struct Probe {
    @Test(arguments: ["get", "post0", "postbig", "mixed", "smallget", "smallpost"]) func probe(kind: String) async throws {
        let certificate = try Certificate()
        let file = [UInt8](repeating: 3, count: kind.hasPrefix("small") ? 2_000 : 300_000)
        let server = try HTTP2Server(certificate: certificate, files: ["file": file])
        var hangs = 0
        for _ in 0..<40 {
        let client = try HTTPClient(configuration: .init(caFile: certificate.file))
        let url = "https://127.0.0.1:\(server.port)/file"
        await withTaskGroup(of: Bool.self) { group in
            for i in 1...80 {
                group.addTask {
                    var r = HTTPRequest(url: url, timeouts: .init(stalledSeconds: 1))
                    if kind == "post0" || ((kind == "postbig" || kind == "smallpost")) || (kind == "mixed" && i % 4 == 0) {
                        r.method = "POST"; if kind != "post0" { r.body = .bytes(file) } }
                    do { let x = try await client.send(r); return x.body.count == file.count } catch { print(kind, error); return false }
                }
            }
            for await ok in group where !ok { hangs += 1 }
        }
        }
        print("PROBE", kind, "failed transfers", hangs, "of", 40 * 80)
    }
}
