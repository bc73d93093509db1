/// What regions can be asked for: those of an account, or of one of its buckets.
struct RegionSubject: ~Escapable {
  /// Empty: requests are not signed, and no regions are asked for.
  let accessKey: Span<UInt8>

  /// Empty: all regions of the account.
  let bucket: Span<UInt8>

  @_lifetime(copy accessKey, copy bucket)
  init(accessKey: Span<UInt8>, bucket: Span<UInt8>) {
    self.accessKey = accessKey
    self.bucket = bucket
  }

  /// The bucket, or all of the account.
  @_lifetime(copy self)
  func part(ofBucket: Bool) -> RegionSubject {
    ofBucket ? self : RegionSubject(accessKey: accessKey, bucket: bucket.extracting(0..<0))
  }
}
