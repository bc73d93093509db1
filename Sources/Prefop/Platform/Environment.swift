import CPlatform

/// The process's environment, read while a client is made and never later: a
/// program that calls `setenv` meanwhile must not crash.
enum Environment {
  /// A variable's value; nil when it is unset or empty, or when the program
  /// runs with raised privileges.
  @_lifetime(immortal)
  static func value(_ name: StaticString) -> Span<UInt8>? {
    guard let value = unsafe secure_getenv(name.cString), unsafe value.pointee != 0 else { return nil }
    return unsafe CText.span(value)
  }

  /// Whether a variable is unset for this library, because the program runs with
  /// raised privileges, and yet set for one that asks without care.
  static func isWithheld(_ name: StaticString) -> Bool {
    guard value(name) == nil, let value = unsafe getenv(name.cString) else { return false }
    return unsafe value.pointee != 0
  }

  /// Lets the C library read TZ now: it does so at the first use of a calendar,
  /// which else would be the check of a certificate's dates.
  static func readTimeZone() {
    var epoch = time_t(0)
    var calendar = unsafe tm()
    _ = unsafe gmtime_r(&epoch, &calendar)
  }

  /// Whether a switch is on: true, yes, y or 1, in any case; nil when it is unset.
  static func isOn(_ name: StaticString) -> Bool? {
    guard let value = value(name) else { return nil }
    return value.equals("true", ignoringCase: true) || value.equals("yes", ignoringCase: true)
      || value.equals("y", ignoringCase: true) || value.equals("1")
  }
}
