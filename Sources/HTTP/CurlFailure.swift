internal import CLibcurl

/// What libcurl's result codes mean to a caller.
enum CurlFailure {
    /// `phase` is where the request stood; before it was sent, a broken connection is a failed
    /// connect.
    static func code(_ result: CURLcode, phase: HTTPError.Phase) -> HTTPError.Code {
        switch result {
        case CURLE_URL_MALFORMAT: .invalidRequest
        // After the request was sent: an answer that is no HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL: phase == .connecting ? .invalidRequest : .receive
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT: .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CRL_BADFILE,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            .tls
        // Only the connect time-out is left to libcurl.
        case CURLE_OPERATION_TIMEDOUT: .timeoutConnect
        case CURLE_PARTIAL_FILE: .truncated
        case CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND: .send
        case CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_WEIRD_SERVER_REPLY,
            CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_WRITE_ERROR:
            phase == .connecting ? .connect : .receive
        default: .other
        }
    }
}
