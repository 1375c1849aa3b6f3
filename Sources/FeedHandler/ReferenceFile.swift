// The reference file of a feed: FILE.reference.json beside it, or the one an address names. All faults of the file
// are reported at once, each with its place, what was found and what is wanted.

import Foundation
public import MarketData

/// What is wrong with a reference file: everything at once.
public struct ReferenceFileError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file.
  public var path: String
  /// Each fault: place, found, wanted.
  public var faults: [String]

  /// An error from its parts.
  public init(path: String, faults: [String]) {
    self.path = path
    self.faults = faults
  }

  /// A line for each fault.
  public var description: String { faults.map { "\(path): \($0)" }.joined(separator: "\n") }
}

/// Loads reference files.
public enum ReferenceFile {
  /// Largest file that is read.
  public static let maximumBytes = 256 * 1024 * 1024

  /// The path of the reference file beside a feed file, or nil where there is none. Of `x.itch.gz` both
  /// `x.itch.gz.reference.json` and `x.itch.reference.json` are meant.
  public static func path(beside feedPath: String) -> String? {
    var candidates = [feedPath + ".reference.json"]
    if feedPath.hasSuffix(".gz") { candidates.append(String(feedPath.dropLast(3)) + ".reference.json") }
    return candidates.first { FileManager.default.fileExists(atPath: $0) }
  }

  /// The reference data of files: `named` if given, else what lies beside the first; nil where there is none.
  /// - Throws: `ReferenceFileError`; also where the named file can't be read.
  public static func load(named: String?, beside paths: [String]) throws(ReferenceFileError) -> ReferenceData?
  {
    if let named { return try load(named) }
    guard let first = paths.first, let path = path(beside: first) else { return nil }
    return try load(path)
  }

  /// Loads a file.
  /// - Throws: `ReferenceFileError` with all faults.
  public static func load(_ path: String) throws(ReferenceFileError) -> ReferenceData {
    let bytes: [UInt8]
    do throws(FeedFileError) {
      bytes = try ByteFile.content(of: path, limit: maximumBytes)
    } catch {
      throw ReferenceFileError(path: path, faults: ["can't be read: \(error)"])
    }
    guard bytes.count <= maximumBytes else {
      throw ReferenceFileError(path: path, faults: ["more than \(maximumBytes) bytes found"])
    }
    return try read(bytes, path: path)
  }

  /// Reads the content of a file; `path` is for the report.
  /// - Throws: `ReferenceFileError` with all faults.
  public static func read(_ content: [UInt8], path: String) throws(ReferenceFileError) -> ReferenceData {
    let content = Data(content)
    let reference: ReferenceData
    do {
      reference = try JSONDecoder().decode(ReferenceData.self, from: content)
    } catch {
      var faults = allFaults(of: content)
      if faults.isEmpty { faults = [text(of: error, at: [])] }
      throw ReferenceFileError(path: path, faults: faults)
    }
    let faults = reference.faults()
    guard faults.isEmpty else { throw ReferenceFileError(path: path, faults: faults) }
    return reference
  }

  // MARK: - Finding all faults

  /// Decodes in pieces, leaving out what has been reported, until nothing is wrong.
  private static func allFaults(of content: Data) -> [String] {
    let tree: Any
    do {
      tree = try JSONSerialization.jsonObject(with: content, options: [.fragmentsAllowed])
    } catch {
      return ["not JSON: \(text(of: error, at: []))"]
    }
    guard var object = tree as? [String: Any] else {
      return ["an object wanted: {\"market\": …, \"instruments\": […]}"]
    }
    var faults: [String] = []
    let lines = object["instruments"] as? [Any]
    if lines != nil { object["instruments"] = [Any]() }
    noteFaults(decoding: ReferenceData.self, from: object, at: [], into: &faults)
    for (index, line) in (lines ?? []).enumerated() {
      guard faults.count < 100 else {
        faults.append("more faults may follow in instruments[\(index)] and later")
        break
      }
      let place = "instruments[\(index)]"
      guard let fields = line as? [String: Any] else {
        faults.append("\(place): wanted an object with a code")
        continue
      }
      noteFaults(decoding: ReferenceData.Instrument.self, from: fields, at: [place], into: &faults)
    }
    return faults
  }

  /// What stands in for fields that must be there, once their fault has been noted.
  private static var standIns: [String: Any] { ["market": "XXXX", "instruments": [Any](), "code": "X"] }

  /// Decodes `fields`; at a fault notes it, takes away the field it is in, and tries again.
  private static func noteFaults<Value: Decodable>(
    decoding type: Value.Type, from fields: [String: Any], at place: [String], into faults: inout [String]
  ) {
    var fields = fields
    for _ in 0...fields.count + 2 {
      do {
        let data = try JSONSerialization.data(withJSONObject: fields)
        _ = try JSONDecoder().decode(type, from: data)
        return
      } catch {
        faults.append(text(of: error, at: place))
        guard let decoding = error as? DecodingError else { return }
        var key = path(of: decoding).first?.stringValue
        if key == nil, case .keyNotFound(let missing, _) = decoding { key = missing.stringValue }
        guard let key else { return }
        fields[key] = standIns[key]
      }
    }
  }

  private static func path(of error: DecodingError) -> [any CodingKey] {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context.codingPath
    @unknown default: []
    }
  }

  private static func text(of error: any Error, at place: [String]) -> String {
    guard let decoding = error as? DecodingError else {
      let details = (error as NSError).userInfo["NSDebugDescription"] as? String
      return details ?? "\(error)"
    }
    let keys = place + path(of: decoding).map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
    let name = keys.joined(separator: ".").replacingOccurrences(of: ".[", with: "[")
    let what: String
    switch decoding {
    case .keyNotFound(let key, _): what = "\(key.stringValue) is missing"
    case .typeMismatch(let type, _): what = "another type found; wanted \(word(for: type))"
    case .valueNotFound(let type, _): what = "null found; wanted \(word(for: type))"
    case .dataCorrupted(let context):
      let under = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
      what = [context.debugDescription, under].compactMap { $0 }.joined(separator: " ")
    @unknown default: what = "\(decoding)"
    }
    return name.isEmpty ? what : "\(name): \(what)"
  }

  private static func word(for type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any FixedWidthInteger.Type: "a whole number"
    case is Decimal.Type, is Double.Type: "a number"
    default: String(describing: type).hasPrefix("Array") ? "a list" : "an object"
    }
  }
}
