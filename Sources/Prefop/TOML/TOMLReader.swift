/// A strict TOML 1.0 reader. It reads the whole document, and then gives the
/// values that it is asked for.
///
///     var toml = TOMLReader(document)
///     try toml.read()
///     if try toml.open(table) { try toml.text("key", into: &text) }
///
/// Iterative: nesting costs memory, not stack, and has no limit. Integers have
/// none either, since none is wanted.
struct TOMLReader: ~Copyable, ~Escapable {
  private var scanner: TOMLScanner
  private var keys = TOMLKeys()

  /// The table that lines add to: its namespace, and the number of its section.
  private var namespace: UInt32 = 0
  private var section: UInt32 = 1

  /// The namespaces of the inline tables that have begun; 0 for arrays.
  private var containers = List<UInt32>()

  /// The key whose value was wanted last.
  private(set) var wanted: StaticString = ""

  @_lifetime(copy document)
  init(_ document: Span<UInt8>) { scanner = TOMLScanner(document) }

  /// Reads the whole document. To be called once, and first.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func read() throws(TOMLError) {
    do throws(OutOfMemory) { try keys.reserve(scanner.document) } catch { throw scanner.error(.outOfMemory) }
    try scanner.checkBytes()
    repeat {
      scanner.skipBlankLines()
      switch scanner.current {
      case 0: return
      case UInt8(ascii: "["): try readHeader()
      default: try skipValue(readKey(in: namespace))
      }
      scanner.skipBlanksAndComment()
    } while scanner.skip(UInt8(ascii: "\n"))
    guard scanner.current == 0 else { throw scanner.error(.expectedLineEnd) }
  }

  // MARK: Keys

  @_lifetime(self: copy self)
  private mutating func readHeader() throws(TOMLError) {
    section &+= 1
    scanner.offset &+= 1
    let isArray = scanner.skip(UInt8(ascii: "["))
    let key = try define(isArray ? .arrayOfTables : .table, in: 0)
    try scanner.expect(UInt8(ascii: "]"), or: .expectedBracket)
    if isArray { try scanner.expect(UInt8(ascii: "]"), or: .expectedBracket) }
    namespace = keys[key].inner
  }

  /// Reads a key, up to its value; returns the namespace that is in it if that is
  /// an inline table.
  @_lifetime(self: copy self)
  @inline(never)
  private mutating func readKey(in namespace: UInt32) throws(TOMLError) -> UInt32 {
    let key = try define(.value, in: namespace)
    try scanner.expect(UInt8(ascii: "="), or: .expectedEquals)
    scanner.skipBlanks()
    keys[key].place = UInt32(truncatingIfNeeded: scanner.offset)
    return keys[key].inner
  }

  /// Reads a dotted key, and the blanks around its parts, and defines it.
  @_lifetime(self: copy self)
  @inline(never)
  private mutating func define(_ kind: TOMLKeys.Key.Kind, in outer: UInt32) throws(TOMLError) -> Int {
    var namespace = outer
    while true {
      scanner.skipBlanks()
      let key: Int
      let isNew: Bool
      let name = try scanner.name()
      do throws(OutOfMemory) {
        (key, isNew) = try keys.findOrAdd(name, in: namespace, of: scanner.document)
      } catch {
        throw scanner.error(.outOfMemory)
      }
      scanner.skipBlanks()
      if isNew { keys[key].place = UInt32(truncatingIfNeeded: scanner.offset) }
      let isLast = !scanner.skip(UInt8(ascii: "."))
      let isAllowed =
        isLast ? keys[key].define(as: kind, isNew: isNew) : keys[key].enter(toDefine: kind, in: section)
      guard isAllowed else { throw scanner.error(.repeatedKey) }
      if isLast {
        // What follows belongs to another element.
        if !isNew, kind == .arrayOfTables { keys[key].inner = keys.addNamespace() }
        return key
      }
      namespace = keys[key].inner
    }
  }

  // MARK: Values

  /// Passes over a value; `namespace` is that of an inline table.
  @_lifetime(self: copy self)
  private mutating func skipValue(_ namespace: UInt32) throws(TOMLError) {
    var inner = namespace
    repeat {
      // A value begins here.
      var isFirst = true
      if scanner.skip(UInt8(ascii: "[")) {
        try push(0)
      } else if scanner.skip(UInt8(ascii: "{")) {
        try push(inner)
      } else {
        try scanner.skipScalar()
        isFirst = false
      }
      // If it is complete, so may be the containers around it.
      while !containers.isEmpty {
        let container = containers[containers.count - 1]
        if container == 0, try nextElement(isFirst: isFirst) {
          inner = keys.addNamespace()
          break
        }
        if container != 0, try nextPair(isFirst: isFirst) {
          inner = try readKey(in: container)
          break
        }
        _ = containers.popLast()
        isFirst = false
      }
    } while !containers.isEmpty
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func push(_ namespace: UInt32) throws(TOMLError) {
    do throws(OutOfMemory) { try containers.append(namespace) } catch { throw scanner.error(.outOfMemory) }
  }

  /// Whether another pair comes, or the inline table ends here.
  @_lifetime(self: copy self)
  private mutating func nextPair(isFirst: Bool) throws(TOMLError) -> Bool {
    scanner.skipBlanks()
    if isFirst { return !scanner.skip(UInt8(ascii: "}")) }
    if scanner.skip(UInt8(ascii: ",")) { return true }
    try scanner.expect(UInt8(ascii: "}"), or: .expectedComma)
    return false
  }

  /// Whether another element comes, or the array ends here.
  @_lifetime(self: copy self)
  @inline(never)
  private mutating func nextElement(isFirst: Bool) throws(TOMLError) -> Bool {
    scanner.skipBlankLines()
    if !isFirst {
      guard scanner.skip(UInt8(ascii: ",")) else {
        try scanner.expect(UInt8(ascii: "]"), or: .expectedComma)
        return false
      }
      scanner.skipBlankLines()
    }
    return !scanner.skip(UInt8(ascii: "]"))
  }

  // MARK: Values wanted

  /// Goes into a table of the document, "default" if the name is empty. False:
  /// there is none of that name.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func open(_ name: Span<UInt8>) throws(TOMLError) -> Bool {
    namespace = 0
    guard let key = name.isEmpty ? seek("default") : seek(name) else { return false }
    guard keys[key].kind == .table || scanner.current == UInt8(ascii: "{") else { throw scanner.error(.expectedTable) }
    namespace = keys[key].inner
    return true
  }

  /// Takes the string of a key, if there is that key.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func text(_ name: StaticString, into target: inout Secret) throws(TOMLError) {
    guard seek(name) != nil else { return }
    try reserve(&target)
    try decode(into: &target)
  }

  /// Takes the string of a key, or the strings of its array, but for empty ones,
  /// separated by commas.
  @_lifetime(self: copy self)
  @inline(never)
  mutating func list(_ name: StaticString, into target: inout Secret) throws(TOMLError) {
    guard seek(name) != nil else { return }
    try reserve(&target)
    guard scanner.skip(UInt8(ascii: "[")) else { return try decode(into: &target) }
    var isFirst = true
    while try nextElement(isFirst: isFirst) {
      isFirst = false
      let end = target.count
      // There is room for a comma in the place of the quotes.
      if end > 0 { target.appendReserved(UInt8(ascii: ",")) }
      let start = target.count
      try decode(into: &target)
      if target.count == start { target.removeAll(from: end) }
    }
  }

  /// The boolean of a key; false if there is no such key.
  @_lifetime(self: copy self)
  mutating func boolean(_ name: StaticString) throws(TOMLError) -> Bool {
    guard seek(name) != nil else { return false }
    let isTrue = scanner.current == UInt8(ascii: "t")
    guard isTrue || scanner.current == UInt8(ascii: "f") else { throw scanner.error(.expectedBoolean) }
    return isTrue
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func seek(_ name: StaticString) -> Int? {
    wanted = name
    return seek(name.span)
  }

  /// Goes to the value of a key of the open table; nil when there is no such key.
  @_lifetime(self: copy self)
  private mutating func seek(_ name: Span<UInt8>) -> Int? {
    guard let key = keys.find(name, in: namespace) else { return nil }
    scanner.offset = Int(keys[key].place)
    return key
  }

  /// Makes room for all the text that there can be.
  private func reserve(_ target: inout Secret) throws(TOMLError) {
    do throws(OutOfMemory) {
      target = try Secret(capacity: scanner.document.count)
    } catch {
      throw scanner.error(.outOfMemory)
    }
  }

  @_lifetime(self: copy self)
  @inline(never)
  private mutating func decode(into target: inout Secret) throws(TOMLError) {
    guard scanner.isAtQuote else { throw scanner.error(.expectedText) }
    try scanner.text().decode(in: scanner.document, into: &target)
  }
}
