internal import CLibcurl

/// A mail server, and how to speak to it.
package struct SMTPServer: Sendable {
    package enum Security: String, Sendable, CaseIterable {
        /// Begins in the clear, and goes on only over TLS (port 587).
        case starttls
        /// TLS from the first byte (port 465).
        case tls
        /// Everything in the clear: for a relay on this machine.
        case none
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var user: String?
    package var password: String?
    /// A PEM file with authorities to trust besides the system's folder of them.
    package var caFile: String?

    package init(
        host: String, port: Int, security: Security, user: String? = nil, password: String? = nil,
        caFile: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.caFile = caFile
    }
}

/// Why a mail was not taken.
package struct SMTPError: Error, CustomStringConvertible {
    /// The server's last answer; 0: it gave none.
    package let status: Int
    package let description: String
}

/// A recipient that the server refused, while it took others.
package struct SMTPRefusal: Sendable {
    package let recipient: String
    /// The server's answer.
    package let status: Int
}

/// Sends one mail over a connection of its own, by libcurl.
package enum SMTPClient {
    /// Returns when the server has taken responsibility for the mail.
    ///
    /// - Parameters:
    ///   - sender: the address in MAIL FROM, like the recipients without a name.
    ///   - message: as RFC 5322 writes it, with CRLF at the end of each line.
    ///   - seconds: that all of it may take; cancelling the task does not end it.
    /// - Returns: the recipients that do not get it; if that were all, an error is thrown.
    package static func send(
        _ message: [UInt8], from sender: String, to recipients: [String],
        through server: SMTPServer,
        seconds: Int = 30
    ) async throws -> [SMTPRefusal] {
        try await withCheckedThrowingContinuation { continuation in
            let code = startThread {
                continuation.resume(
                    with: Result {
                        try SMTPTransfer(message).perform(server, sender, recipients, seconds)
                    })
            }
            if code != 0 {
                continuation.resume(
                    throwing: SMTPError(
                        status: 0, description: "no thread for a mail (errno \(code))"))
            }
        }
    }
}

/// One mail on its way. Made and used on one thread.
private final class SMTPTransfer {
    private var rest: ArraySlice<UInt8>
    /// The server's answers, in order.
    private var answers: [Int] = []

    init(_ message: [UInt8]) {
        rest = message[...]
    }

    func perform(
        _ server: SMTPServer, _ sender: String, _ recipients: [String], _ seconds: Int
    ) throws(SMTPError) -> [SMTPRefusal] {
        if let fault = HTTPClient.processSetUp { throw SMTPError(status: 0, description: fault) }
        guard let curl = curl_easy_init() else {
            throw SMTPError(status: 0, description: "libcurl has no memory for a mail")
        }
        // Until then libcurl may call back.
        defer { withExtendedLifetime(self) { curl_easy_cleanup(curl) } }
        let scheme = server.security == .tls ? "smtps" : "smtp"
        try set(curl, CURLOPT_URL, "\(scheme)://\(server.host):\(server.port)")
        try set(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        try set(curl, CURLOPT_NOPROXY, "*")
        try set(curl, CURLOPT_NETRC, 0)
        try set(curl, CURLOPT_NOSIGNAL, 1)
        try set(curl, CURLOPT_TIMEOUT, seconds)
        try set(curl, CURLOPT_CONNECTTIMEOUT, 10)
        try set(curl, CURLOPT_SSL_VERIFYPEER, 1)
        try set(curl, CURLOPT_SSL_VERIFYHOST, 2)
        try set(curl, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if server.security == .starttls {
            try set(curl, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
        }
        if let file = server.caFile { try set(curl, CURLOPT_CAINFO, file) }
        if let user = server.user, let password = server.password {
            try set(curl, CURLOPT_USERNAME, user)
            try set(curl, CURLOPT_PASSWORD, password)
        }
        try set(curl, CURLOPT_MAIL_FROM, "<\(sender)>")
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        for recipient in recipients {
            guard let longer = curl_slist_append(list, "<\(recipient)>") else {
                throw SMTPError(status: 0, description: "libcurl has no memory for the recipients")
            }
            list = longer
        }
        if let list { try check(meterflow_curl_set_recipients(curl, list)) }
        // One mailbox that is gone must not keep the others from hearing of it.
        try check(meterflow_curl_allow_refused_recipients(curl))
        try set(curl, CURLOPT_UPLOAD, 1)
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(
            meterflow_curl_on_read(
                curl,
                { bytes, size, count, context in
                    guard let context else { return meterflow_curl_read_abort() }
                    return Unmanaged<SMTPTransfer>.fromOpaque(context).takeUnretainedValue()
                        .fill(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
                }, context))
        // For a mail these are the lines of the server.
        try check(
            meterflow_curl_on_header(
                curl,
                { bytes, size, count, context in
                    guard let context else { return 0 }
                    Unmanaged<SMTPTransfer>.fromOpaque(context).takeUnretainedValue()
                        .hear(UnsafeRawBufferPointer(start: bytes, count: size * count))
                    return size * count
                }, context))
        let code = curl_easy_perform(curl)
        guard code == CURLE_OK else {
            var status = Int(meterflow_curl_get_long(curl, CURLINFO_RESPONSE_CODE))
            // If every recipient was refused, one of them may still be taken later.
            let last = answers.suffix(recipients.count)
            if let least = last.min(), least >= 400 { status = least }
            throw SMTPError(
                status: status,
                description: String(cString: curl_easy_strerror(code))
                    + (status > 0 ? " (the server answered \(status))" : ""))
        }
        return refusals(recipients)
    }

    /// The answers to RCPT stand before the one to DATA, which alone is 354 (RFC 5321, 4.3.2).
    private func refusals(_ recipients: [String]) -> [SMTPRefusal] {
        guard let data = answers.lastIndex(of: 354), data >= recipients.count else { return [] }
        return zip(recipients, answers[(data - recipients.count)..<data])
            .filter { $1 / 100 != 2 }
            .map { SMTPRefusal(recipient: $0, status: $1) }
    }

    /// The last line of an answer has no dash after its number. 221 answers QUIT, which says nothing of a mail.
    private func hear(_ line: UnsafeRawBufferPointer) {
        guard line.count > 3, line[3] != UInt8(ascii: "-"),
            let status = Int(String(decoding: line.prefix(3), as: UTF8.self)), status != 221
        else { return }
        answers.append(status)
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let piece = rest.prefix(buffer.count)
        rest = rest.dropFirst(piece.count)
        buffer.copyBytes(from: piece)
        return piece.count
    }

    private func set(
        _ curl: UnsafeMutableRawPointer, _ option: CURLoption, _ value: Int
    ) throws(SMTPError) {
        try check(meterflow_curl_set_long(curl, option, value))
    }

    private func set(
        _ curl: UnsafeMutableRawPointer, _ option: CURLoption, _ value: String
    ) throws(SMTPError) {
        try check(meterflow_curl_set_string(curl, option, value))
    }

    private func check(_ code: CURLcode) throws(SMTPError) {
        guard code == CURLE_OK else {
            throw SMTPError(status: 0, description: String(cString: curl_easy_strerror(code)))
        }
    }
}
