import CLibcurl

/// What to do about a certificate that is refused.
enum TLSAdvice {
  /// `verifyResult`: OpenSSL's X509_V_ERR_ number.
  static func append(_ code: CURLcode, verifyResult: Int, to message: inout Message) {
    switch (code, verifyResult) {
    case (_, 9), (_, 10): message.append("; is this machine's clock right?")
    case (_, 18), (_, 19): message.append("; if that is meant, name it in ca_file")
    case (_, 20), (_, 21): message.append("; name the authority in ca_file, or look for a proxy that opens TLS")
    case (CURLE_PEER_FAILED_VERIFICATION, 0): message.append("; name a host that the certificate is for")
    default: break
    }
  }
}
