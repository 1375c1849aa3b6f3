// libxml2 over a hostile document: nothing is loaded, nothing grows, nothing is printed.
//
// No option is set that would load a DTD or an entity; the network is off besides. Entities of the document's own DTD
// stay references in the tree, as in libmodsecurity 3.0.9, and are expanded when text is asked for: so one that holds a
// reference to another is refused, and so is a document whose references come to much more than it is long itself.
// Owner: whoever parses; libxml2's state is per thread or in the parser's context.

internal import CXML

struct XMLParsing {
  /// Why a document is refused that libxml2 would take.
  enum Refusal: String {
    case tooDeep = "nested too deeply"
    case nestedEntities = "entity that refers to another entity"
    case expansion = "entities expand too much"
  }

  /// What the callbacks see of a parse under way.
  struct Watch {
    let depth: Int
    /// Bytes that references to entities may still stand for.
    var expansionLeft: Int
    /// Ampersands in the document: so many references it can have at most, those in attributes included, of which
    /// libxml2 tells nothing.
    let references: Int
    var refusal: Refusal?
  }

  /// References to entities may stand for so many times the document's length, and this much more.
  static let expansionFactor = 10
  static let expansionAllowance = 64 * 1024

  private static let initialised: Void = xmlInitParser()

  enum Outcome {
    case document(xmlDocPtr)
    case failed(message: String, offset: Int, isLimit: Bool)
  }

  static func parse(_ body: ByteView, limits: BodyLimits) -> Outcome {
    _ = initialised
    // Of this thread: errors of converters reach no parser, and would be printed.
    xmlSetStructuredErrorFunc(nil) { _, _ in }
    guard body.count > 0, let length = Int32(exactly: body.count) else {
      return .failed(message: "Document is empty or too long", offset: 0, isLimit: body.count > 0)
    }
    guard let context = xmlNewParserCtxt() else {
      return .failed(message: "Failed to create parsing context", offset: 0, isLimit: false)
    }
    defer { xmlFreeParserCtxt(context) }
    let (product, overflow) = body.count.multipliedReportingOverflow(by: expansionFactor)
    var watch = Watch(
      depth: limits.xmlDepth, expansionLeft: overflow ? Int.max : product &+ expansionAllowance,
      references: body.buffer.reduce(0) { $0 + ($1 == UInt8(ascii: "&") ? 1 : 0) })
    install(on: context)
    let document = withUnsafeMutablePointer(to: &watch) { watch in
      context.pointee._private = UnsafeMutableRawPointer(watch)
      defer { context.pointee._private = nil }
      return body.raw.withMemoryRebound(to: CChar.self) { text in
        xmlCtxtReadMemory(
          context, text.baseAddress, length, nil, nil,
          Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue))
      }
    }
    if let document, watch.refusal == nil, context.pointee.wellFormed == 1 { return .document(document) }
    if let document { xmlFreeDoc(document) }
    let offset = min(max(0, Int(xmlByteConsumed(context))), body.count)
    if let refusal = watch.refusal {
      return .failed(message: refusal.rawValue, offset: offset, isLimit: true)
    }
    var message = "not well-formed"
    if let text = context.pointee.lastError.message {
      message = String(cString: text)
      while message.last?.isNewline == true { message.removeLast() }
      message += " (line \(context.pointee.lastError.line))"
    }
    return .failed(message: message, offset: offset, isLimit: false)
  }

  private static func install(on context: xmlParserCtxtPtr) {
    guard let handlers = context.pointee.sax else { return }
    // With a structured handler nothing goes to standard error.
    handlers.pointee.serror = { _, _ in }
    handlers.pointee.startElementNs = {
      raw, name, prefix, uri, namespaceCount, namespaces, count, defaulted, attributes in
      guard let raw else { return }
      let context = raw.assumingMemoryBound(to: xmlParserCtxt.self)
      XMLParsing.check(context) { watch in Int(context.pointee.nodeNr) < watch.depth ? nil : .tooDeep }
      xmlSAX2StartElementNs(raw, name, prefix, uri, namespaceCount, namespaces, count, defaulted, attributes)
    }
    handlers.pointee.entityDecl = { raw, name, kind, publicID, systemID, content in
      guard let raw else { return }
      let context = raw.assumingMemoryBound(to: xmlParserCtxt.self)
      XMLParsing.check(context) { watch in
        guard kind == XML_INTERNAL_GENERAL_ENTITY.rawValue else { return nil }
        if XMLParsing.refersToEntity(content) { return .nestedEntities }
        let (most, over) = Int(content.map { xmlStrlen($0) } ?? 0).multipliedReportingOverflow(
          by: watch.references)
        return over || most > watch.expansionLeft ? .expansion : nil
      }
      xmlSAX2EntityDecl(raw, name, kind, publicID, systemID, content)
    }
    handlers.pointee.reference = { raw, name in
      guard let raw else { return }
      let context = raw.assumingMemoryBound(to: xmlParserCtxt.self)
      XMLParsing.check(context) { watch in
        guard let entity = xmlGetDocEntity(context.pointee.myDoc, name) else { return nil }
        watch.expansionLeft -= Int(max(0, entity.pointee.length))
        return watch.expansionLeft >= 0 ? nil : .expansion
      }
      xmlSAX2Reference(raw, name)
    }
  }

  private static func check(_ context: xmlParserCtxtPtr, _ find: (inout Watch) -> Refusal?) {
    guard let watch = context.pointee._private?.assumingMemoryBound(to: Watch.self),
      watch.pointee.refusal == nil, let refusal = find(&watch.pointee)
    else { return }
    watch.pointee.refusal = refusal
    xmlStopParser(context)
  }

  /// Whether an entity's text holds a reference by name to anything but the five entities that XML itself defines.
  private static func refersToEntity(_ content: UnsafeMutablePointer<xmlChar>?) -> Bool {
    guard let content else { return false }
    var at = 0
    while content[at] != 0 {
      if content[at] == UInt8(ascii: "&"), content[at + 1] != UInt8(ascii: "#") {
        let predefined: [StaticString] = ["lt;", "gt;", "amp;", "quot;", "apos;"]
        guard
          predefined.contains(where: {
            xmlStrncmp(content + at + 1, $0.utf8Start, Int32($0.utf8CodeUnitCount)) == 0
          })
        else { return true }
      }
      at += 1
    }
    return false
  }
}
