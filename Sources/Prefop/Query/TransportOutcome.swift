import CLibcurl

extension Outcome {
  /// What it means that libcurl ended a transfer with an error.
  static func transport(_ code: CURLcode, _ transfer: borrowing Transfer) -> Outcome {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
    case CURLE_PROXY where transfer.isNameUnknown: .unresolved
    case CURLE_COULDNT_CONNECT, CURLE_PROXY, CURLE_INTERFACE_FAILED: .unreachable
    case CURLE_SSL_CONNECT_ERROR where transfer.isBrokenBySystem: .broken
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION, CURLE_USE_SSL_FAILED, CURLE_SSL_ENGINE_INITFAILED,
      CURLE_SSL_CACERT_BADFILE, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
      CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
      .untrusted
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_OUT_OF_MEMORY:
      // A header line too long for libcurl is reported so too, but then an
      // answer has begun.
      transfer.hasBegunAnswer ? .broken : .outOfMemory
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING:
      transfer.isTunnelRefused
        ? .unreachable : transfer.reusedConnection && !transfer.hasBegunAnswer ? .stale : .broken
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_HTTP3,
      CURLE_PARTIAL_FILE, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR, CURLE_CHUNK_FAILED,
      CURLE_UNRECOVERABLE_POLL, CURLE_HTTP_RETURNED_ERROR, CURLE_TOO_MANY_REDIRECTS, CURLE_AGAIN:
      .broken
    default: .system
    }
  }
}
