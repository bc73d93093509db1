import CPlatform

/// Text as C hands it in.
@unsafe
enum CText {
  /// The bytes before the NUL; none for NULL. The caller says for how long.
  @_lifetime(immortal)
  static func span(_ text: UnsafePointer<CChar>?) -> Span<UInt8> {
    guard let text = unsafe text else { return Span() }
    let bytes = unsafe UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
    let span = unsafe Span(_unsafeStart: bytes, count: strlen(text))
    return unsafe _overrideLifetime(span, copying: ())
  }
}
