/// Every key of a document, each in the namespace of the table that it belongs
/// to: of the last element, for an array of tables. Namespaces are numbers; 0 is
/// that of the document.
///
/// The keys are the nodes of a binary tree, and the bits of namespace and name are
/// the way to a key.
struct TOMLKeys: ~Copyable {
  struct Key {
    enum Kind {
      case table
      case arrayOfTables
      case value
    }

    fileprivate let namespace: UInt32
    fileprivate let nameStart: UInt32
    fileprivate let nameEnd: UInt32
    fileprivate(set) var kind = Kind.table

    /// The namespace of the keys in it.
    var inner: UInt32

    /// Where its value is; what follows its name, if it is a table made by lines.
    var place: UInt32 = 0

    /// The section, which is what follows one header, whose dotted keys made this
    /// table, and may add to it. 0: there are only tables in it, and lines may yet
    /// define it.
    private var section: UInt32 = 0

    fileprivate var next = InlineArray<2, UInt32>(repeating: 0)

    fileprivate init(namespace: UInt32, nameStart: Int, nameEnd: Int, inner: UInt32) {
      self.namespace = namespace
      self.nameStart = UInt32(truncatingIfNeeded: nameStart)
      self.nameEnd = UInt32(truncatingIfNeeded: nameEnd)
      self.inner = inner
    }

    /// The key is the last part of a dotted one. False: it was defined before.
    mutating func define(as kind: Kind, isNew: Bool) -> Bool {
      guard isNew || kind == self.kind else { return false }
      if !isNew {
        if kind == .arrayOfTables { return true }
        guard kind == .table, section == 0 else { return false }
      }
      self.kind = kind
      section = .max
      return true
    }

    /// The key is another part of a dotted one, of a header or of a value. False:
    /// it is no table, or one to which the dotted key may not add.
    mutating func enter(toDefine kind: Kind, in section: UInt32) -> Bool {
      guard kind == .value else { return self.kind != .value }
      guard self.kind == .table, self.section == 0 || self.section == section else { return false }
      self.section = section
      return true
    }
  }

  private var keys = List<Key>()

  /// The names of all keys, decoded. Wiped, because a secret may be misplaced.
  private var names = Secret()

  private var namespaceCount: UInt32 = 1

  init() {}

  /// Makes room for the names of a document. Comes first.
  mutating func reserve(_ document: Span<UInt8>) throws(OutOfMemory) { names = try Secret(capacity: document.count) }

  subscript(index: Int) -> Key {
    unsafeAddress { unsafe keys.address(at: index) }
    unsafeMutableAddress { unsafe UnsafeMutablePointer(mutating: keys.address(at: index)) }
  }

  /// A namespace with no key in it.
  mutating func addNamespace() -> UInt32 {
    namespaceCount += 1
    return namespaceCount - 1
  }

  func find(_ name: Span<UInt8>, in namespace: UInt32) -> Int? {
    var way = Way()
    return search(name, namespace, &way) ? way.index : nil
  }

  /// The key of that name, which is made unless it is there.
  mutating func findOrAdd(
    _ name: TOMLText, in namespace: UInt32, of document: Span<UInt8>
  ) throws(OutOfMemory) -> (index: Int, isNew: Bool) {
    let start = names.count
    name.decode(in: document, into: &names)
    var way = Way()
    if search(names.span.extracting(droppingFirst: start), namespace, &way) {
      names.removeAll(from: start)
      return (way.index, false)
    }
    let index = keys.count
    try keys.append(
      Key(namespace: namespace, nameStart: start, nameEnd: names.count, inner: addNamespace()))
    if index > 0 { keys[way.index].next[way.side] = UInt32(truncatingIfNeeded: index) }
    return (index, true)
  }

  /// Where a search ended: at the key, or at the one after which it belongs.
  private struct Way {
    var index = 0
    var side = 0
  }

  @inline(never)
  private func search(_ name: Span<UInt8>, _ namespace: UInt32, _ way: inout Way) -> Bool {
    guard !keys.isEmpty else { return false }
    var depth = 0
    while true {
      let key = keys[way.index]
      if key.namespace == namespace, names.span.extracting(Int(key.nameStart)..<Int(key.nameEnd)).equals(name) {
        return true
      }
      way.side = Self.bit(depth, namespace, name)
      depth += 1
      let next = Int(key.next[way.side])
      guard next != 0 else { return false }
      way.index = next
    }
  }

  private static func bit(_ depth: Int, _ namespace: UInt32, _ name: Span<UInt8>) -> Int {
    let place = depth - namespaceBits
    if place < 0 { return Int(namespace &>> UInt32(truncatingIfNeeded: depth) & 1) }
    return place >> 3 < name.count ? Int(name[place >> 3] &>> UInt8(truncatingIfNeeded: place & 7) & 1) : 0
  }

  /// There are fewer namespaces than a document has bytes.
  private static var namespaceBits: Int { 24 }
}
