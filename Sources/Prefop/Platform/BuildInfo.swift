/// What this build is. The version must be the header's; a test compares them.
enum BuildInfo {
  static var version: StaticString { "1.0.0" }

  static var line: StaticString {
    #if hasFeature(Embedded)
      #if arch(x86_64)
        "prefop 1.0.0 (linux; x86_64) embedded swift"
      #else
        "prefop 1.0.0 (linux) embedded swift"
      #endif
    #else
      #if arch(x86_64)
        "prefop 1.0.0 (linux; x86_64) swift, debug"
      #else
        "prefop 1.0.0 (linux) swift, debug"
      #endif
    #endif
  }

  /// How requests name their sender, but for the version of libcurl.
  static var userAgent: StaticString {
    #if arch(x86_64)
      "prefop/1.0.0 (linux; x86_64) libcurl/"
    #else
      "prefop/1.0.0 (linux) libcurl/"
    #endif
  }
}
