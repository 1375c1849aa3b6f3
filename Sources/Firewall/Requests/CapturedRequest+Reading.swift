// Whichever way requests are kept: which it is shows in the first bytes.

extension CapturedRequest {
  /// All requests of a file: raw HTTP, a HAR file, JSON lines or curl command lines.
  public static func all(in bytes: [UInt8], file: String) throws(CaptureFault) -> [CapturedRequest] {
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    guard let first = text.first(where: { !Ascii.isSpace($0) }) else {
      throw CaptureFault(
        place: file, found: "nothing", wanted: "raw HTTP, a HAR file, JSON lines or a curl command line")
    }
    let start = text.drop { Ascii.isSpace($0) }
    if start.starts(with: Array("curl ".utf8)) || start.starts(with: Array("$ curl ".utf8)) {
      return try CurlLine.requests(text, place: file)
    }
    guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
      return try RawRequest.requests(text, file: file)
    }
    // A line that is whole by itself, and no archive: JSON lines.
    let line = start.prefix { $0 != Ascii.lineFeed }
    let head = try? CapturedJSON(Array(line))
    if let head, head.members != nil, head["log"] == nil { return try lines(text, file: file) }
    let json: CapturedJSON
    do throws(CapturedJSON.Fault) { json = try CapturedJSON(text) } catch {
      throw CaptureFault(
        place: "\(file):\(error.line):\(error.column)", found: error.found, wanted: error.wanted)
    }
    if json["log"] != nil { return try HARFile.requests(json, file: file) }
    guard let elements = json.elements else { return [try CapturedRequest(json, place: file)] }
    // Requests as they are within an archive, without it.
    if elements.first?["url"] != nil { return try HARFile.requests(elements, file: file) }
    var requests: [CapturedRequest] = []
    for (index, element) in elements.enumerated() {
      requests.append(try CapturedRequest(element, place: "\(file)#\(index + 1)"))
    }
    return requests
  }
}
