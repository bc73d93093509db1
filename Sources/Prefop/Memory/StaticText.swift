extension StaticString {
  /// The bytes, which live as long as the program.
  var span: Span<UInt8> {
    @_lifetime(immortal)
    get {
      let bytes = unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
      return unsafe _overrideLifetime(bytes, copying: ())
    }
  }
}
