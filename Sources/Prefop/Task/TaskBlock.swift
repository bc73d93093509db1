import CPlatform
import CPrefop

/// Lays a decoded task out in one block of memory, as C sees it: structs,
/// pointer arrays, texts, the exact document. One `free` gives it all back.
@safe
enum TaskBlock {
  static func make(
    from draft: borrowing TaskDraft, document: Span<UInt8>
  ) throws(OutOfMemory) -> UnsafeMutablePointer<prefop_task> {
    var size = BlockSize()
    unsafe size.add(prefop_task.self, count: 1)
    size.addPointers(draft.items.count)
    unsafe size.add(prefop_task_item.self, count: draft.items.count)
    for index in draft.items.indices { size.addArrays(of: draft.items[index]) }
    size.addText(draft.persistentID)
    size.addText(draft.description)
    size.addText(draft.objectName)
    size.addText(draft.bucketName)
    size.addText(draft.pipeline)
    size.addText(draft.taskFrom)
    size.addText(draft.requestID)
    size.addText(draft.createdAt)
    for index in draft.items.indices { size.addTexts(of: draft.items[index], names: draft.objectNames) }
    size.addDocument(document)

    var block = unsafe BlockWriter(memory: try allocate(size.total), size: size, document: document)
    let task = unsafe block.place(prefop_task.self, count: 1)
    let items = unsafe block.placePointers(to: prefop_task_item.self, count: draft.items.count)
    let structs = unsafe block.place(prefop_task_item.self, count: draft.items.count)
    for index in draft.items.indices {
      unsafe (structs + index).initialize(to: block.item(draft.items[index], names: draft.objectNames))
      unsafe items[index] = UnsafePointer(structs + index)
    }
    unsafe task.initialize(
      to: prefop_task(
        struct_size: UInt32(MemoryLayout<prefop_task>.size),
        reserved: 0,
        persistent_id: block.text(draft.persistentID),
        code: draft.code ?? 0,
        description: block.text(draft.description),
        object_name: block.text(draft.objectName),
        bucket_name: block.text(draft.bucketName),
        pipeline: block.text(draft.pipeline),
        task_from: block.text(draft.taskFrom),
        request_id: block.text(draft.requestID),
        type: draft.type,
        created_at: block.text(draft.createdAt),
        items: UnsafePointer(items),
        item_count: draft.items.count,
        json: block.copyOfDocument(),
        json_length: document.count))
    return unsafe task
  }

  /// An item by itself, from a draft that holds just that one.
  static func makeItem(
    from draft: borrowing TaskDraft, document: Span<UInt8>
  ) throws(OutOfMemory) -> UnsafeMutablePointer<prefop_task_item> {
    var size = BlockSize()
    unsafe size.add(prefop_task_item.self, count: 1)
    size.addArrays(of: draft.items[0])
    size.addTexts(of: draft.items[0], names: draft.objectNames)
    size.addTerminator()

    var block = unsafe BlockWriter(memory: try allocate(size.total), size: size, document: document)
    let item = unsafe block.place(prefop_task_item.self, count: 1)
    unsafe item.initialize(to: block.item(draft.items[0], names: draft.objectNames))
    return unsafe item
  }
}

/// How much the block must hold. Nothing overflows: a document has at most
/// 2^30 bytes, and each of its bytes asks for far less than 2^32.
private struct BlockSize {
  private(set) var structBytes = 0
  private var textBytes = 0

  var total: Int { structBytes + textBytes }

  mutating func add<Value>(_ type: Value.Type, count: Int) {
    structBytes += MemoryLayout<Value>.stride * count
  }

  /// An array of pointers, ended by NULL.
  mutating func addPointers(_ count: Int) { unsafe add(UnsafeRawPointer?.self, count: count + 1) }

  mutating func addText(_ text: JSONText) { textBytes += text.isEmpty ? 0 : text.count + 1 }

  /// The NUL at the end of the document serves as every empty text.
  mutating func addDocument(_ document: Span<UInt8>) { textBytes += document.count + 1 }
  mutating func addTerminator() { textBytes += 1 }

  mutating func addArrays(of item: ItemDraft) { addPointers(item.objectNameCount) }

  mutating func addTexts(of item: ItemDraft, names: borrowing List<JSONText>) {
    addText(item.command)
    addText(item.description)
    addText(item.error)
    addText(item.hash)
    addText(item.objectName)
    addText(item.result ?? .empty)
    for index in 0..<item.objectNameCount { addText(names[item.firstObjectName + index]) }
  }
}

/// Fills the block: structs from its beginning, texts after them, the document
/// at its end.
@safe
private struct BlockWriter: ~Escapable {
  private var structs: UnsafeMutableRawPointer
  private var texts: UnsafeMutablePointer<UInt8>
  private let end: UnsafeMutablePointer<UInt8>
  private let document: Span<UInt8>

  @_lifetime(copy document)
  init(memory: UnsafeMutableRawPointer, size: BlockSize, document: Span<UInt8>) {
    unsafe structs = memory
    unsafe texts = (memory + size.structBytes).assumingMemoryBound(to: UInt8.self)
    unsafe end = (memory + size.total - 1).assumingMemoryBound(to: UInt8.self)
    self.document = document
    unsafe end.pointee = 0
  }

  /// What an absent text points to.
  private var emptyText: UnsafePointer<CChar> { unsafe UnsafeRawPointer(end).assumingMemoryBound(to: CChar.self) }

  @_lifetime(self: copy self)
  mutating func place<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
    let placed = unsafe structs.assumingMemoryBound(to: Value.self)
    unsafe structs += MemoryLayout<Value>.stride * count
    return unsafe placed
  }

  @_lifetime(self: copy self)
  mutating func placePointers<Value>(
    to type: Value.Type, count: Int
  ) -> UnsafeMutablePointer<UnsafePointer<Value>?> {
    let placed = unsafe place(UnsafePointer<Value>?.self, count: count + 1)
    unsafe placed[count] = nil
    return unsafe placed
  }

  @_lifetime(self: copy self)
  mutating func text(_ text: JSONText) -> UnsafePointer<CChar> {
    guard !text.isEmpty else { return unsafe emptyText }
    let placed = unsafe texts
    if text.hasEscapes {
      var decoder = JSONEscapeDecoder(text.raw(in: document))
      while let byte = decoder.next() {
        unsafe texts.pointee = byte
        unsafe texts += 1
      }
    } else {
      unsafe copy(text.raw(in: document), to: texts)
      unsafe texts += text.count
    }
    unsafe texts.pointee = 0
    unsafe texts += 1
    return unsafe UnsafeRawPointer(placed).assumingMemoryBound(to: CChar.self)
  }

  func copyOfDocument() -> UnsafePointer<CChar> {
    let start = unsafe end - document.count
    unsafe copy(document, to: start)
    return unsafe UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self)
  }

  @_lifetime(self: copy self)
  mutating func item(_ item: ItemDraft, names: borrowing List<JSONText>) -> prefop_task_item {
    let objectNames = unsafe placePointers(to: CChar.self, count: item.objectNameCount)
    for index in 0..<item.objectNameCount {
      unsafe objectNames[index] = text(names[item.firstObjectName + index])
    }
    var result: UnsafePointer<CChar>?
    if let text = item.result { unsafe result = self.text(text) }
    return unsafe prefop_task_item(
      struct_size: UInt32(MemoryLayout<prefop_task_item>.size),
      reserved: 0,
      command: text(item.command),
      code: item.code ?? 0,
      description: text(item.description),
      error: text(item.error),
      error_index: item.errorIndex ?? -1,
      hash: text(item.hash),
      object_name: text(item.objectName),
      result: result,
      object_names: UnsafePointer(objectNames),
      object_name_count: item.objectNameCount,
      return_old: item.returnOld)
  }

  private func copy(_ bytes: Span<UInt8>, to address: UnsafeMutablePointer<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      _ = unsafe memcpy(address, start, source.count)
    }
  }
}
