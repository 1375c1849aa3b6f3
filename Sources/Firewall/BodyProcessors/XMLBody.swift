// A well-formed XML body (XML 1.0, XPath 1.0 through libxml2): XML:/*, XML://@* and any other XPath that a rule names.
//
// As libmodsecurity 3.0.9: of each node that the XPath selects the text content is a value. An XPath that selects no
// nodes but computes something gives nothing.
// Owner: one transaction, on one thread. The document lives as long as this object.

internal import CXML

/// A well-formed XML document.
public final class XMLBody {
  /// All values of one XPath together may be so many times the document's length, and this much more.
  private static let contentFactor = 32
  private static let contentAllowance = 64 * 1024
  /// Steps of libxml2's evaluation.
  private static let operationLimit: UInt = 5_000_000

  private let document: xmlDocPtr
  private let limits: BodyLimits
  private let contentBytes: Int

  /// Reads `body`: gives `content` a document, or an error.
  public static func parse(_ body: ByteView, limits: BodyLimits, into content: inout BodyContent) {
    switch XMLParsing.parse(body, limits: limits) {
    case .document(let document):
      content.xml = XMLBody(document, limits: limits, bodyBytes: body.count)
    case .failed(let message, let offset, let isLimit):
      content.fail("XML parsing error: XML: Failed parsing document: " + message + ".", at: offset)
      if isLimit { content.limitReached = true }
    }
  }

  private init(_ document: xmlDocPtr, limits: BodyLimits, bodyBytes: Int) {
    self.document = document
    self.limits = limits
    let (product, overflow) = bodyBytes.multipliedReportingOverflow(by: XMLBody.contentFactor)
    contentBytes = overflow ? Int.max : product &+ XMLBody.contentAllowance
  }

  deinit { xmlFreeDoc(document) }

  /// XML:/*: the text of the document's element and all in it.
  public func rootContent(arena: Arena) -> ByteView {
    guard let root = xmlDocGetRootElement(document) else { return .empty }
    return text(of: root, arena)
  }

  /// XML://@*: all attributes' values, in the document's order. True where there were more than the limit allows.
  @discardableResult
  public func attributeValues(arena: Arena, into values: inout [ByteView]) -> Bool {
    var next = xmlDocGetRootElement(document)
    var left = limits.xmlNodeCount
    var bytesLeft = contentBytes
    while let node = next {
      if node.pointee.type == XML_ELEMENT_NODE {
        var attribute = node.pointee.properties
        while let current = attribute {
          guard left > 0 else { return true }
          left -= 1
          let text = value(of: current, arena)
          values.append(text)
          bytesLeft -= text.count
          if bytesLeft < 0 { return true }
          attribute = current.pointee.next
        }
      }
      next = XMLBody.following(node)
    }
    return false
  }

  /// The values that `xpath` selects; nil where it is not an XPath (of these prefixes).
  /// - Parameter namespaces: the rule's `xmlns` actions.
  public func evaluate(
    xpath: String, namespaces: [(prefix: String, uri: String)] = [], arena: Arena
  ) -> (values: [ByteView], limitReached: Bool)? {
    guard let context = xmlXPathNewContext(document) else { return ([], true) }
    defer { xmlXPathFreeContext(context) }
    context.pointee.error = { _, _ in }
    context.pointee.opLimit = XMLBody.operationLimit
    for namespace in namespaces { _ = xmlXPathRegisterNs(context, namespace.prefix, namespace.uri) }
    guard let result = xmlXPathEvalExpression(xpath, context) else {
      let isLimit =
        context.pointee.lastError.code
        == Int32(XML_XPATH_EXPRESSION_OK.rawValue) + Int32(XPATH_OP_LIMIT_EXCEEDED.rawValue)
      return isLimit ? ([], true) : nil
    }
    defer { xmlXPathFreeObject(result) }
    guard let nodes = result.pointee.nodesetval, let table = nodes.pointee.nodeTab else { return ([], false) }
    var values: [ByteView] = []
    var bytesLeft = contentBytes
    for index in 0..<Int(nodes.pointee.nodeNr) {
      guard let node = table[index] else { continue }
      guard values.count < limits.xmlNodeCount, bytesLeft >= 0 else { return (values, true) }
      let value = text(of: node, arena)
      bytesLeft -= value.count
      values.append(value)
    }
    return (values, bytesLeft < 0)
  }

  /// Whether `xpath` can be understood at all; prefixes are looked at only when it is evaluated.
  public static func isXPath(_ xpath: String) -> Bool {
    guard let context = xmlXPathNewContext(nil) else { return false }
    defer { xmlXPathFreeContext(context) }
    context.pointee.error = { _, _ in }
    guard let compiled = xmlXPathCtxtCompile(context, xpath) else { return false }
    xmlXPathFreeCompExpr(compiled)
    return true
  }

  /// The node after `node` in the document's order, without the insides of entities.
  private static func following(_ node: xmlNodePtr) -> xmlNodePtr? {
    if node.pointee.type == XML_ELEMENT_NODE, let child = node.pointee.children { return child }
    var current: xmlNodePtr? = node
    while let here = current {
      if let sibling = here.pointee.next { return sibling }
      current = here.pointee.parent
    }
    return nil
  }

  private func text(of node: xmlNodePtr, _ arena: Arena) -> ByteView {
    guard let content = xmlNodeGetContent(node) else { return .empty }
    defer { kabuto_xml_free(content) }
    return arena.copy(ByteView(start: content, count: Int(xmlStrlen(content))))
  }

  /// An attribute's value: its one text, where it has one, lies in the document.
  private func value(of attribute: xmlAttrPtr, _ arena: Arena) -> ByteView {
    guard let child = attribute.pointee.children else { return .empty }
    if child.pointee.next == nil, child.pointee.type == XML_TEXT_NODE, let content = child.pointee.content {
      return ByteView(start: content, count: Int(xmlStrlen(content)))
    }
    return UnsafeMutableRawPointer(attribute).withMemoryRebound(to: xmlNode.self, capacity: 1) {
      text(of: $0, arena)
    }
  }
}
