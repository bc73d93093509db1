/// What the service itself says of an error: the "error" of its JSON, else the
/// first line of its plain text.
enum ServiceText {
  static func read(_ body: Span<UInt8>) -> InlineText<256> {
    var text = InlineText<256>()
    if body.count <= JSONReader.lengthLimit, readMember(body, into: &text) { return text }
    let line = firstLine(body)
    // A page of markup tells nobody anything.
    if !line.isEmpty, line[0] != UInt8(ascii: "<"), line[0] != UInt8(ascii: "{") { text.appendPrintable(line) }
    return text
  }

  private static func readMember(_ body: Span<UInt8>, into text: inout InlineText<256>) -> Bool {
    var found: JSONText?
    do throws(JSONError) {
      var json = JSONReader(body)
      try json.beginObject()
      while let name = try json.nextName() {
        switch name {
        case "error": found = try json.text()
        default: try json.skip()
        }
      }
    } catch {
      return false
    }
    guard let found, !found.isEmpty else { return false }
    var decoded = InlineText<256>()
    var decoder = JSONEscapeDecoder(found.raw(in: body))
    while let byte = decoder.next() { decoded.append(byte) }
    text.appendPrintable(decoded.span)
    return true
  }

  @_lifetime(copy body)
  private static func firstLine(_ body: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    while start < body.count, body[start].isBlank { start += 1 }
    var end = start
    while end < body.count, body[end] != 0x0A, body[end] != 0x0D { end += 1 }
    return body.extracting(start..<end)
  }
}
