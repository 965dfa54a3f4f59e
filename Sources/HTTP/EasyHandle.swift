internal import CLibcurl

/// The one owner of a libcurl easy handle, with the memory that libcurl does not copy.
///
/// Made, used and freed on the driving thread. It keeps its transfer alive as the callbacks'
/// context.
final class EasyHandle {
    let transfer: Transfer
    let curl: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    /// Throws libcurl's own words if an option is refused: no memory, or a feature it was built
    /// without.
    init(_ transfer: Transfer, configuration: HTTPClientConfiguration) throws(EasyHandleFailure) {
        guard let curl = curl_easy_init() else {
            throw EasyHandleFailure(detail: "libcurl has no memory for a request")
        }
        self.curl = curl
        self.transfer = transfer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        // From here on a throw runs `deinit`, which frees everything.
        try setUp(configuration)
    }

    deinit {
        curl_easy_cleanup(curl)
        if let headerList { curl_slist_free_all(headerList) }
        errorText.deallocate()
    }

    /// What libcurl says about the last failure; empty if it says nothing.
    var detail: String { String(cString: errorText) }

    /// Everything that moved in either direction so far, in bytes.
    var movedBytes: Int64 {
        let sent = meterflow_curl_get_offset(curl, CURLINFO_SIZE_UPLOAD_T)
        let received = meterflow_curl_get_offset(curl, CURLINFO_SIZE_DOWNLOAD_T)
        return Int64(sent) + Int64(received)
            + Int64(meterflow_curl_get_long(curl, CURLINFO_HEADER_SIZE))
    }

    /// Lets the directions run that are not paused any more.
    ///
    /// One call sets both, so that resuming an upload must repeat that the download stays paused.
    func applyPauses() {
        let (receiving, sending) = transfer.pauses
        curl_easy_pause(
            curl, (receiving ? CURLPAUSE_RECV : 0) | (sending ? CURLPAUSE_SEND : 0))
    }

    /// Makes libcurl look at the connection again, by pausing both directions for no time at all.
    ///
    /// libcurl 7.88 (Debian 12) now and then forgets a multiplexed transfer: its last frames are
    /// read along with another one's, and no event follows. Of bodies of 300 KB about one in two
    /// thousand hung until a time-out.
    func nudge() {
        curl_easy_pause(curl, CURLPAUSE_RECV | CURLPAUSE_SEND)
        applyPauses()
    }

    // MARK: Options

    private func setUp(_ configuration: HTTPClientConfiguration) throws(EasyHandleFailure) {
        let request = transfer.request
        try check(meterflow_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, errorText))
        try check(
            meterflow_curl_set_pointer(
                curl, CURLOPT_PRIVATE, Unmanaged.passUnretained(transfer).toOpaque()))
        try set(CURLOPT_URL, request.url)
        try setBoundaries(configuration)
        try setVersion(request)
        try setBody(request)
        for line in request.headerLines {
            guard let longer = curl_slist_append(headerList, line) else {
                throw EasyHandleFailure(detail: "libcurl has no memory for the headers")
            }
            headerList = longer
        }
        if let headerList { try check(meterflow_curl_set_headers(curl, headerList)) }
        if request.decodesResponse { try set(CURLOPT_ACCEPT_ENCODING, "gzip") }
        try set(
            CURLOPT_CONNECTTIMEOUT_MS,
            max(1, Int((request.timeouts.connectSeconds * 1000).rounded(.up))))
        try setCallbacks()
    }

    /// What a request must not do, whatever the environment or the server says.
    private func setBoundaries(
        _ configuration: HTTPClientConfiguration
    ) throws(EasyHandleFailure) {
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_NOPROXY, "*")
        try set(CURLOPT_NETRC, 0)
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        // Next to the system's folder of authorities, which stays.
        if let file = configuration.caFile { try set(CURLOPT_CAINFO, file) }
        try set(CURLOPT_USERAGENT, configuration.userAgent)
        // Signals belong to the program, and libcurl's alarm would hit any thread.
        try set(CURLOPT_NOSIGNAL, 1)
        // Else dropping a request whose name is being looked up blocks every other one until the
        // resolver returns.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_MAXAGE_CONN, configuration.idleConnectionSeconds)
    }

    private func setVersion(_ request: PreparedRequest) throws(EasyHandleFailure) {
        switch request.version {
        case .http1:
            try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        case .http2IfNegotiated:
            try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
            // Wait for the first handshake rather than open a connection each. Over plain TCP this
            // would wait for the first response.
            try set(CURLOPT_PIPEWAIT, 1)
        }
    }

    private func setBody(_ request: PreparedRequest) throws(EasyHandleFailure) {
        var bytes: Int64?
        switch request.body {
        case .none where request.method == "HEAD":
            return try set(CURLOPT_NOBODY, 1)
        case .none where !["POST", "PUT", "PATCH"].contains(request.method):
            try set(CURLOPT_HTTPGET, 1)
            return try set(CURLOPT_CUSTOMREQUEST, request.method)
        case .none: bytes = 0
        case .fixed(let all): bytes = Int64(all.count)
        case .streamed: bytes = nil
        }
        try set(CURLOPT_UPLOAD, 1)
        try set(CURLOPT_CUSTOMREQUEST, request.method)
        // Without a length libcurl sends chunks.
        if let bytes {
            try check(
                meterflow_curl_set_offset(curl, CURLOPT_INFILESIZE_LARGE, curl_off_t(bytes)))
        }
    }

    private func setCallbacks() throws(EasyHandleFailure) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        try check(
            meterflow_curl_on_before_request(
                curl,
                { context, _, _, _, _ in
                    called(context).willSend() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
                }, context))
        try check(
            meterflow_curl_on_header(
                curl,
                { bytes, size, count, context in
                    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return called(context).receiveHeaderLine(line) == .taken ? line.count : 0
                }, context))
        try check(
            meterflow_curl_on_body(
                curl,
                { bytes, size, count, context in
                    let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return switch called(context).receiveBody(piece) {
                    case .taken: piece.count
                    case .pause: meterflow_curl_write_pause()
                    // Any other count than the one given is an error.
                    case .abort: piece.count == 0 ? 1 : 0
                    }
                }, context))
        try check(
            meterflow_curl_on_read(
                curl,
                { bytes, size, count, context in
                    let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
                    return switch called(context).fill(buffer) {
                    case .bytes(let count): count
                    case .end: 0
                    case .pause: meterflow_curl_read_pause()
                    case .abort: meterflow_curl_read_abort()
                    }
                }, context))
        try check(
            meterflow_curl_on_seek(
                curl,
                { context, offset, origin in
                    offset == 0 && origin == 0 && called(context).rewindUpload()
                        ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
                }, context))
    }

    private func set(_ option: CURLoption, _ value: Int) throws(EasyHandleFailure) {
        try check(meterflow_curl_set_long(curl, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(EasyHandleFailure) {
        try check(meterflow_curl_set_string(curl, option, value))
    }

    private func check(_ code: CURLcode) throws(EasyHandleFailure) {
        guard code == CURLE_OK else {
            throw EasyHandleFailure(detail: String(cString: curl_easy_strerror(code)))
        }
    }
}

/// libcurl refused to set a request up.
struct EasyHandleFailure: Error {
    let detail: String
}

/// The transfer behind a callback's context: alive as long as the handle that calls back.
private func called(_ context: UnsafeMutableRawPointer?) -> Transfer {
    guard let context else { preconditionFailure("libcurl called back without its context") }
    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
}
