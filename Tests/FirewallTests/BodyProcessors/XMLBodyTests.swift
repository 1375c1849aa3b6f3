// XML bodies: what the rules see, what is refused, and that nothing is loaded or grows.

import Firewall
import Testing

@Suite struct XMLBodyTests {
  private struct Found {
    var root: String?
    var attributes: [String] = []
    var error: String?
    var errorOffset: Int?
    var limitReached = false
  }

  private func parse(_ bytes: [UInt8], limits: BodyLimits = BodyLimits()) -> Found {
    let held = HeldBytes(bytes)
    let arena = Arena()
    var content = BodyContent()
    XMLBody.parse(held.view, limits: limits, into: &content)
    var found = Found()
    found.error = content.error
    found.errorOffset = content.errorOffset
    found.limitReached = content.limitReached
    guard let document = content.xml else { return found }
    found.root = latin1(document.rootContent(arena: arena))
    var values: [ByteView] = []
    document.attributeValues(arena: arena, into: &values)
    found.attributes = values.map { latin1($0) }
    return found
  }

  private func evaluate(
    _ text: String, _ xpath: String, _ namespaces: [(prefix: String, uri: String)] = [],
    limits: BodyLimits = BodyLimits()
  ) -> (values: [String], limitReached: Bool)? {
    let held = HeldBytes(text)
    var content = BodyContent()
    XMLBody.parse(held.view, limits: limits, into: &content)
    let arena = Arena()
    return content.xml?.evaluate(xpath: xpath, namespaces: namespaces, arena: arena)
      .map { ($0.values.map { latin1($0) }, $0.limitReached) }
  }

  /// As libmodsecurity 3.0.9 with libxml2 2.9.14 was seen to answer.
  @Test(arguments: [
    ("<a/>", "", []), ("<a>1</a>", "1", []), ("  <a/>", "", []),
    (
      "<?xml version='1.0'?><a>x<b y='1' z=\"2\">q</b><!-- c --><?pi d?><![CDATA[<cd>]]></a>", "xq<cd>",
      ["1", "2"]
    ),
    ("<a>&lt;&amp;&#65;</a>", "<&A", []), ("<a b='1\n2'/>", "", ["1 2"]),
    ("<a b='&lt;&#10;x'/>", "", ["<\nx"]),
    ("<!DOCTYPE a [<!ENTITY e 'val'>]><a x='&e;q'>1&e;2</a>", "1val2", ["valq"]),
    ("<!DOCTYPE a [<!ENTITY e '<b k=\"v\">in</b>'>]><a>1&e;2&e;</a>", "1in2in", []),
    ("<!DOCTYPE a [<!ENTITY lt '&#38;#60;'>]><a>&lt;</a>", "<", []),
    ("<!DOCTYPE a [<!ENTITY e '&#38;lt;'>]><a>&e;</a>", "<", []),
    ("<!DOCTYPE a SYSTEM 'http://x/y.dtd'><a>1</a>", "1", []),
    ("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "", []),
    ("<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><a>1</a>", "1", []),
    ("<?xml version='1.0' encoding='ISO-8859-1'?><a>\u{e9}</a>", "\u{c3}\u{a9}", []),
    ("\u{ef}\u{bb}\u{bf}<a>1</a>", "1", []), ("<a xmlns:n='u'><n:b n:c='d' e='f'/></a>", "", ["d", "f"]),
    ("<m:a/>", "", []), ("<a:b:c/>", "", []), ("<a b='&lt;x&amp;'>t</a>", "t", ["<x&"]),
  ])
  func wellFormed(text: String, root: String, attributes: [String]) {
    let found = parse(latin1Bytes(text))
    #expect(found.error == nil)
    #expect(found.root == root)
    #expect(found.attributes == attributes)
  }

  @Test(arguments: [
    "", " ", "text", "<a>", "<a></b>", "<a>x</a>y", "<a/><b/>", "<a x='1' x='2'/>", "<a x=1/>",
    "<a>\u{e9}</a>", "<a>\0</a>",
    "<a>\u{1}</a>", "<a>]]></a>", "<a><![CDATA[unclosed</a>", "<!-- only -->", "<?xml version='1.0'?>",
    "<a>&#0;</a>",
    "<a>&#xD800;</a>", "<a>&</a>", "<a b='<'/>", "<A></a>", "<a>&unknown;</a>",
    "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a x='&e;'/>",
  ])
  func notWellFormed(text: String) {
    let found = parse(latin1Bytes(text))
    #expect(found.root == nil)
    #expect(found.error?.hasPrefix("XML parsing error: XML: Failed parsing document") == true)
    #expect(!found.limitReached)
    #expect(found.errorOffset.map { $0 >= 0 && $0 <= text.unicodeScalars.count } == true)
  }

  @Test func entitiesDoNotGrow() {
    var laughs = "<!DOCTYPE a [<!ENTITY l0 'lol'>"
    for level in 0..<9 {
      laughs += "<!ENTITY l\(level + 1) '" + String(repeating: "&l\(level);", count: 10) + "'>"
    }
    #expect(parse(Array((laughs + "]><a>&l9;</a>").utf8)).limitReached)
    #expect(parse(Array((laughs + "]><a b='&l9;'/>").utf8)).error != nil)
    // No level above level, but a long one many times.
    let long = String(repeating: "x", count: 10_000)
    let refused = parse(
      Array("<!DOCTYPE a [<!ENTITY e '\(long)'>]><a>\(String(repeating: "&e;", count: 10_000))</a>".utf8))
    #expect(refused.limitReached && refused.error?.contains("expand") == true)
    let taken = parse(Array("<!DOCTYPE a [<!ENTITY e '\(long)'>]><a>&e;&e;</a>".utf8))
    #expect(taken.root?.count == 20_000)
    for loop in ["<!ENTITY e '&e;'>", "<!ENTITY e 'a&f;'><!ENTITY f 'b&e;'>", "<!ENTITY % p '%p;'>%p;"] {
      #expect(parse(Array("<!DOCTYPE a [\(loop)]><a>&e;</a>".utf8)).error != nil)
    }
  }

  @Test func depthIsLimited() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "<b>", count: depth) + "x" + String(repeating: "</b>", count: depth)).utf8)
    }
    #expect(parse(nested(200)).root == "x")
    #expect(parse(nested(100_000)).limitReached)
    var limits = BodyLimits()
    limits.xmlDepth = 3
    #expect(parse(nested(3), limits: limits).root == "x")
    let over = parse(nested(4), limits: limits)
    #expect(over.root == nil && over.limitReached)
  }

  @Test func xpaths() {
    let text = "<s:e xmlns:s='urn:s'><s:b><p id='1'>one</p><p id='2'>two</p></s:b></s:e>"
    #expect(evaluate(text, "//p")?.values == ["one", "two"])
    #expect(evaluate(text, "/*")?.values == ["onetwo"])
    #expect(evaluate(text, "//@*")?.values == ["1", "2"])
    #expect(evaluate(text, "//*[local-name()='p'][@id='2']")?.values == ["two"])
    #expect(evaluate(text, "//soap:b", [("soap", "urn:s")])?.values == ["onetwo"])
    #expect(evaluate(text, "//soap:b", [("soap", "urn:other")])?.values == [])
    #expect(evaluate(text, "//none:b") == nil)
    #expect(evaluate(text, "//p[") == nil)
    #expect(evaluate(text, "count(//p)")?.values == [])
    #expect(evaluate(text, "//p/text()")?.values == ["one", "two"])
    #expect(XMLBody.isXPath("//a[@b='c']/text()") && XMLBody.isXPath("//x:a"))
    #expect(!XMLBody.isXPath("//a[") && !XMLBody.isXPath(""))
  }

  @Test func whatAnXPathGivesIsLimited() {
    let wide = "<a>" + String(repeating: "<b/>", count: 50) + "</a>"
    var limits = BodyLimits()
    limits.xmlNodeCount = 10
    let few = evaluate(wide, "//b", limits: limits)
    #expect(few?.values.count == 10 && few?.limitReached == true)
    // Each of 200 levels repeats the text below it.
    let deep =
      String(repeating: "<b>", count: 200) + String(repeating: "x", count: 20_000)
      + String(repeating: "</b>", count: 200)
    let bounded = evaluate(deep, "//b")
    #expect(bounded?.limitReached == true)
    #expect(bounded.map { $0.values.reduce(0) { $0 + $1.count } < 40 * deep.count } == true)
    let quadratic = "<a>" + String(repeating: "<b/>", count: 5000) + "</a>"
    #expect(
      evaluate(quadratic, "//b[count(preceding::b[count(preceding::b) > 5]) > 7]")?.limitReached == true)
  }

  @Test func fixedXPathsAreThoseOfTheLibrary() {
    var random = BodyRandom()
    for _ in 0..<300 {
      var text = ""
      func element(_ depth: Int) {
        let name = ["a", "b", "c"][random.below(3)]
        let attributes = ["", " x='1'", " x='1' y='&lt;2'", " z=''"][random.below(4)]
        text += "<\(name)\(attributes)>"
        for _ in 0..<random.below(4) {
          switch random.below(depth < 4 ? 5 : 3) {
          case 0: text += "t\(random.below(9))"
          case 1: text += "<!-- no -->"
          case 2: text += "<![CDATA[c]]>"
          default: element(depth + 1)
          }
        }
        text += "</\(name)>"
      }
      element(0)
      let found = parse(Array(text.utf8))
      #expect(found.root == evaluate(text, "/*")?.values.first, "\(text) \(random.comment)")
      #expect(found.attributes == evaluate(text, "//@*")?.values, "\(text) \(random.comment)")
    }
  }

  @Test func xmlFuzz() {
    var random = BodyRandom()
    let seeds = [
      "<?xml version='1.0' encoding='utf-8'?><a x='1'>t<b y=\"&lt;\">u</b><![CDATA[c]]><!-- d --></a>",
      "<!DOCTYPE a [<!ENTITY e 'val'><!ENTITY % p '<!ATTLIST a d CDATA \"f\">'>%p;]><a x='&e;q'>1&e;2</a>",
      "<s:e xmlns:s='urn:s'><s:b><p id='1'>one</p></s:b></s:e>",
    ].map { Array($0.utf8) }
    let alphabet = Array("<>/&;'\"=!?[]- aex%#".utf8)
    let rounds = fuzzing {
      let bytes = random.mutate(seeds[random.below(3)], with: alphabet)
      let held = HeldBytes(bytes)
      let arena = Arena()
      var content = BodyContent()
      XMLBody.parse(held.view, limits: BodyLimits(), into: &content)
      #expect((content.xml == nil) == (content.error != nil), "\(latin1(bytes)) \(random.comment)")
      #expect(content.errorOffset.map { $0 >= 0 && $0 <= bytes.count } ?? true, "\(random.comment)")
      if let document = content.xml {
        var values: [ByteView] = []
        document.attributeValues(arena: arena, into: &values)
        let total = values.reduce(document.rootContent(arena: arena).count) { $0 + $1.count }
        #expect(total <= 20 * bytes.count + 65536, "\(latin1(bytes)) \(random.comment)")
      }
    }
    #expect(rounds > 0)
  }
}
