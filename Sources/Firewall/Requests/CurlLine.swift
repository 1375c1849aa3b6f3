// A curl command line, as browsers copy it and people write it, to the requests that curl would send (curl(1), checked
// against 7.88): the method it implies, its own Host, User-Agent, Accept, Content-Type and Content-Length, in its order.
//
// Of the shell nothing is expanded, no file is read, and nothing is sent. An option that isn't known is a fault: it could
// change the request.

/// Reads curl command lines.
public enum CurlLine {
  /// The requests of all curl commands in `bytes`, in order. `place` is what faults call the text.
  public static func requests(_ bytes: [UInt8], place: String) throws(CaptureFault) -> [CapturedRequest] {
    var requests: [CapturedRequest] = []
    for var command in try ShellWords.commands(bytes, place: place) {
      let here = "\(place):\(command.line)"
      if command.isFed, !requests.isEmpty { continue }
      while let first = command.words.first,
        ["$", "sudo", "command", "time"].contains(String(decoding: first, as: UTF8.self))
      {
        command.words.removeFirst()
      }
      guard
        let name = command.words.first?.split(separator: Ascii.slash).last.map({
          String(decoding: $0, as: UTF8.self)
        }),
        name == "curl" || name == "curl.exe"
      else {
        let found = ArgumentText.excerpt(command.words.first ?? [], limit: 24)
        throw CaptureFault(
          place: here, found: "the command `\(found)`",
          wanted: "curl" + (requests.isEmpty ? "" : "; an address with & in it stands in quotes"))
      }
      var reader = CurlReader(words: Array(command.words.dropFirst()), place: here)
      for operation in try reader.operations() {
        for url in operation.urls {
          var request = try CurlRequest(operation: operation, place: here).made(url)
          request.id = "\(place):\(requests.count + 1)"
          requests.append(request)
        }
      }
    }
    guard !requests.isEmpty else {
      throw CaptureFault(place: place, found: "no command", wanted: "a curl command line")
    }
    return requests
  }
}

/// Words to operations.
private struct CurlReader {
  let words: [[UInt8]]
  let place: String
  var at = 0
  var operation = CurlOperation()

  init(words: [[UInt8]], place: String) {
    self.words = words
    self.place = place
  }

  private func fault(_ found: String, _ wanted: String) -> CaptureFault {
    CaptureFault(place: place, found: found, wanted: wanted)
  }

  mutating func operations() throws(CaptureFault) -> [CurlOperation] {
    var done: [CurlOperation] = []
    var onlyAddresses = false
    while at < words.count {
      let word = words[at]
      at += 1
      if onlyAddresses || word.first != UInt8(ascii: "-") || word.count == 1 {
        if word.first == UInt8(ascii: "^") {
          throw fault("`^`, the quoting of cmd.exe", "the line as copied for bash: “Copy as cURL (bash)”")
        }
        operation.urls.append(word)
      } else if word == Array("--".utf8) {
        onlyAddresses = true
      } else if word.starts(with: Array("--".utf8)) {
        let name = String(decoding: word.dropFirst(2), as: UTF8.self)
        guard let option = CurlOption.long(name) else { throw unknown("--\(name)") }
        try take(option, "--\(name)", option.takesValue ? value(of: "--\(name)") : [], &done)
      } else {
        try letters(word, &done)
      }
    }
    try finish(&done)
    return done
  }

  private func unknown(_ option: String) -> CaptureFault {
    fault("the option `\(option)`", "options of curl that say what is sent, and no files")
  }

  private mutating func finish(_ done: inout [CurlOperation]) throws(CaptureFault) {
    guard !operation.isEmpty else {
      throw fault("a curl command without an address", "an address, as in http://www.example.com/")
    }
    if operation.isHead, operation.kind != .none, !operation.isGet {
      throw fault("-I with a body", "one of the two, or -G to send the data in the address")
    }
    done.append(operation)
    operation = CurlOperation()
  }

  private mutating func value(of option: String) throws(CaptureFault) -> [UInt8] {
    guard at < words.count else { throw fault("`\(option)` at the end", "a value after it") }
    at += 1
    return words[at - 1]
  }

  /// `-sSLd x`, `-XPOST`.
  private mutating func letters(_ word: [UInt8], _ done: inout [CurlOperation]) throws(CaptureFault) {
    var index = 1
    while index < word.count {
      let name = "-" + String(decoding: [word[index]], as: UTF8.self)
      guard let option = CurlOption.short(word[index]) else { throw unknown(name) }
      index += 1
      guard option.takesValue else {
        try take(option, name, [], &done)
        continue
      }
      let rest = Array(word[index...])
      return try take(option, name, rest.isEmpty ? value(of: name) : rest, &done)
    }
  }

  private mutating func take(
    _ option: CurlOption, _ name: String, _ value: [UInt8], _ done: inout [CurlOperation]
  ) throws(CaptureFault) {
    switch option {
    case .flag, .valued: break
    case .next: try finish(&done)
    case .request: operation.method = value
    case .header:
      try refuseFile(value, name)
      operation.headers.append(value)
    case .data, .dataAscii, .dataBinary:
      try refuseFile(value, name)
      try add(value, .form, name)
    case .dataRaw: try add(value, .form, name)
    case .dataUrlencode: try add(try encoded(value, name), .form, name)
    case .json:
      try refuseFile(value, name)
      try add(value, .json, name)
    case .form, .formString:
      try use(.multipart, name)
      operation.parts.append(
        try FormPart(value, isLiteral: option == .formString, option: name, place: place))
    case .get: operation.isGet = true
    case .head: operation.isHead = true
    case .cookie:
      guard value.contains(Ascii.equals) else {
        throw fault(
          "\(name) with the file \"\(ArgumentText.excerpt(value))\"",
          "the cookies themselves, as in \"a=1; b=2\"")
      }
      operation.cookies.append(value)
    case .userAgent: operation.agent = value
    case .referer:
      let text = String(decoding: value, as: UTF8.self)
      operation.referer = text.hasSuffix(";auto") ? Array(value.dropLast(5)) : value
    case .user: operation.user = value
    case .oauth2Bearer: operation.bearer = value
    case .range: operation.range = value
    case .url: operation.urls.append(value)
    case .urlQuery:
      operation.query.append(
        value.first == UInt8(ascii: "+") ? Array(value.dropFirst()) : try encoded(value, name))
    case .requestTarget: operation.target = value
    case .compressed: operation.isCompressed = true
    case .pathAsIs: operation.keepsPath = true
    case .globoff: operation.takesBrackets = true
    case .http10: operation.version = "HTTP/1.0"
    case .http2, .http2PriorKnowledge: operation.version = "HTTP/2.0"
    }
  }

  private func refuseFile(_ value: [UInt8], _ name: String) throws(CaptureFault) {
    guard value.first == Ascii.at else { return }
    throw fault(
      "\(name) with the content of the file \"\(ArgumentText.excerpt(value.dropFirst()))\"",
      "the content itself, or --data-raw where the @ is meant")
  }

  private mutating func use(_ kind: CurlOperation.BodyKind, _ name: String) throws(CaptureFault) {
    guard operation.kind == .none || (operation.kind == .multipart) == (kind == .multipart) else {
      throw fault("\(name) beside another kind of body", "either -F or -d")
    }
    // As in curl, what is JSON once stays so.
    if operation.kind != .json { operation.kind = kind }
  }

  private mutating func add(_ value: [UInt8], _ kind: CurlOperation.BodyKind, _ name: String)
    throws(CaptureFault)
  {
    let isFirst = operation.kind == .none
    try use(kind, name)
    if !isFirst, kind != .json { operation.data.append(UInt8(ascii: "&")) }
    operation.data += value
  }

  /// `content`, `=content`, `name=content`; `@file` and `name@file` are refused.
  private func encoded(_ value: [UInt8], _ name: String) throws(CaptureFault) -> [UInt8] {
    guard let split = value.firstIndex(where: { $0 == Ascii.equals || $0 == Ascii.at }) else {
      return percentEncoded(value)
    }
    if value[split] == Ascii.at {
      throw fault(
        "\(name) with the content of the file \"\(ArgumentText.excerpt(value[(split + 1)...]))\"",
        "the content itself, after a =")
    }
    let content = percentEncoded(value[(split + 1)...])
    return split == 0 ? content : Array(value[...split]) + content
  }
}

/// As curl's --data-urlencode does it: `+` for a blank, what RFC 3986 calls unreserved as it is.
func percentEncoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
  let digits = Array("0123456789ABCDEF".utf8)
  return bytes.flatMap { byte -> [UInt8] in
    if Ascii.isWord(byte) || byte == UInt8(ascii: "-") || byte == Ascii.dot || byte == UInt8(ascii: "~") {
      return [byte]
    }
    return byte == 0x20
      ? [UInt8(ascii: "+")] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
}
