// Each function of the language: known answers, and what it refuses.

import GuardRules
import Testing

@Suite struct FunctionTests {
  static let document = """
    s: 'aBc é'
    list: [x, y, z]
    mixed: [x, 1]
    five: '5'
    n: 7
    f: 1.9
    minus: -1.9
    yes: 'TRUE'
    flag: true
    json: '{"a": [1, {"b": "c"}]}'
    yaml: "a: 1"
    bad: '{'
    time: '2023-11-14T22:13:20Z'
    zoned: '2023-11-15T07:13:20.75+09:00'
    url: 'a%20b+c%E3%81%82'
    broken: '%ff'
    arn: 'arn:aws:s3:eu-west-1:123456789012:x'
    digit: 7
    """

  @Test(
    arguments: [
      ("let v = count(list[*])\n %v == 3", .pass), ("let v = count(list)\n %v == 1", .pass),
      ("let v = count(nope)\n %v == 0", .pass),
      ("let v = join(list, '-')\n %v == 'x-y-z'", .fail),
      ("let v = join(list[*], '-')\n %v == 'x-y-z'", .pass),
      ("let v = json_parse(json)\n %v.a[1].b == 'c'", .pass), ("let v = json_parse(yaml)\n %v.a == 1", .pass),
      ("let v = json_parse(n)\n %v == 1", .skip), ("let v = now()\n %v == 1700000000", .pass),
      ("let v = parse_boolean(yes)\n %v == true", .pass), ("let v = parse_boolean(flag)\n %v == true", .pass),
      ("let v = parse_char(digit)\n %v == '7'", .fail),
      ("let v = parse_epoch(time)\n %v == 1700000000", .pass),
      ("let v = parse_epoch(zoned)\n %v == 1700000000", .pass),
      ("let v = parse_float(five)\n %v == 5.0", .pass),
      ("let v = parse_float(n)\n %v == 7.0", .pass), ("let v = parse_int(five)\n %v == 5", .pass),
      ("let v = parse_int(f)\n %v == 1", .pass),
      ("let v = parse_int(minus)\n %v == -1", .pass), ("let v = parse_string(n)\n %v == '7'", .pass),
      ("let v = parse_string(flag)\n %v == 'true'", .pass), ("let v = parse_string(f)\n %v == '1.9'", .pass),
      (
        "let v = regex_replace(arn, '^arn:(\\w+):(\\w+):([\\w0-9-]+):(\\d+):(.+)$', '${1}/$4/${3}/$2-$5')\n %v == 'aws/123456789012/eu-west-1/s3-x'",
        .pass
      ),
      ("let v = regex_replace(arn, 'zzz', 'q')\n %v == ''", .pass),
      ("let v = regex_replace(s, 'a|c', '<$0>')\n %v == '<a><c>'", .pass),
      ("let v = regex_replace(s, '(?<one>B)', '${one}$one$$')\n %v == 'BB$'", .pass),
      ("let v = regex_replace('éé', '', '-')\n %v == '---'", .pass),
      ("let v = substring(s, 0, 3)\n %v == 'aBc'", .pass), ("let v = substring(s, 2, 2)\n %v empty", .pass),
      ("let v = substring(s, 0, 99)\n %v empty", .pass), ("let v = substring(s, 0, 5)\n %v empty", .pass),
      ("let v = to_lower(s)\n %v == 'abc é'", .pass), ("let v = to_upper(s)\n %v == 'ABC É'", .pass),
      ("let v = to_upper(n)\n %v empty", .pass),
      ("let v = url_decode(url)\n %v == 'a b+cあ'", .pass), ("let v = url_decode(broken)\n %v empty", .pass),
      ("five == parse_string(5)", .pass),
      ("let v = to_upper(to_lower(list[*]))\n %v in ['X','Y','Z']", .pass),
      ("let v = to_upper(nope)\n %v == 'A'", .skip),
    ] as [(String, RuleStatus)])
  func comesTo(_ clauses: String, _ expected: RuleStatus) throws {
    if clauses.contains("join(list, ") {
      #expect(throws: EvaluationFault.self) { try status(clauses, Self.document) }
      return
    }
    #expect(try status(clauses, Self.document) == expected)
  }

  @Test(arguments: [
    "join(mixed[*], '-')", "join(nope, '-')", "join(list[*], n)", "json_parse(bad)", "parse_boolean(five)",
    "parse_char(s)",
    "parse_char(10)", "parse_epoch(s)", "parse_epoch('2023-02-30T00:00:00Z')", "parse_float(s)",
    "parse_int(s)", "parse_int('1.5')",
    "parse_int(1e30)", "substring(s, 'a', 2)", "regex_replace(s, '(', 'x')", "regex_replace(s, n, 'x')",
  ])
  func isRefused(_ call: String) {
    #expect(throws: EvaluationFault.self) { try status("let v = \(call)\n%v exists", Self.document) }
  }
}
