internal import CLibcurl

/// An address taken apart by libcurl's own parser, so that what is checked is what will be used.
struct RequestTarget: ~Copyable {
    private let handle: OpaquePointer

    private init(owning handle: OpaquePointer) {
        self.handle = handle
    }

    /// Nil for what is no absolute address.
    static func read(_ url: String) -> RequestTarget? {
        // libcurl would read up to the NUL and connect there.
        guard !url.utf8.contains(0), let handle = curl_url() else { return nil }
        let target = RequestTarget(owning: handle)
        let code = curl_url_set(handle, CURLUPART_URL, url, UInt32(CURLU_NON_SUPPORT_SCHEME))
        guard code == CURLUE_OK else { return nil }
        return target
    }

    deinit {
        curl_url_cleanup(handle)
    }

    var scheme: String? { part(CURLUPART_SCHEME) }
    var hasHost: Bool { part(CURLUPART_HOST)?.isEmpty == false }
    var hasCredentials: Bool { part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil }

    /// The address without credentials, query and fragment, for people and logs.
    static func describe(_ url: String, hidingPath: Bool) -> String {
        guard let target = read(url), let scheme = target.scheme else {
            return "(unreadable address)"
        }
        var text = "\(scheme)://\(target.part(CURLUPART_HOST) ?? "")"
        if let port = target.part(CURLUPART_PORT) { text += ":\(port)" }
        return text + (hidingPath ? "/…" : target.part(CURLUPART_PATH) ?? "/")
    }

    private func part(_ what: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, what, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
