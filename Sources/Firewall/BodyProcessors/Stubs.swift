extension XMLBody {
  static func parse(_ body: ByteView, limits: BodyLimits, arena: Arena, into content: inout BodyContent) {}
  func evaluate(xpath: ByteView, namespaces: [(prefix: String, uri: String)], limits: BodyLimits, arena: Arena) -> [ByteView] { [] }
}
