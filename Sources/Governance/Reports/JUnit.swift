// JUnit's XML: a suite an input, a case a rule; what can't be told is an error, which no build takes for a success.

import GuardRules

/// See the head of this file.
public enum JUnit {
  /// A report of a check.
  public static func text(_ result: CheckResult, language: ReportLanguage = .english) -> String {
    func say(_ en: String, _ ja: String) -> String { language == .japanese ? ja : en }
    var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    func row(_ input: String, _ file: String, _ rule: String) -> String { "\(input)\n\(file)\n\(rule)" }
    let rows = Set(result.results.map { row($0.input, $0.ruleFile, $0.rule) })
    var findings: [String: [Finding]] = [:]
    var others: [Finding] = []
    for finding in result.findings {
      let key = row(finding.input, finding.ruleFile, finding.rule)
      if rows.contains(key) { findings[key, default: []].append(finding) } else { others.append(finding) }
    }
    let failures = result.count(.fail) + others.count { $0.status == "FAIL" }
    let errors = result.count(.unknown) + others.count { $0.status == "UNKNOWN" } + result.faults.count
    let tests = result.results.count + others.count + result.faults.count
    out +=
      "<testsuites name=\"kabuto govern check\" tests=\"\(tests)\" failures=\"\(failures)\" "
      + "errors=\"\(errors)\">\n"
    var inputs: [String] = []
    var byInput: [String: [CheckResult.RuleOnInput]] = [:]
    for each in result.results {
      if byInput[each.input] == nil { inputs.append(each.input) }
      byInput[each.input, default: []].append(each)
    }
    for input in inputs {
      let all = byInput[input] ?? []
      out +=
        "  <testsuite name=\"\(escaped(input))\" tests=\"\(all.count)\" "
        + "failures=\"\(all.count { $0.status == .fail && !$0.isExcepted })\" "
        + "errors=\"\(all.count { $0.status == .unknown && !$0.isExcepted })\" "
        + "skipped=\"\(all.count { $0.status == .skip || $0.isExcepted })\">\n"
      for each in all {
        let head = "    <testcase name=\"\(escaped(each.rule))\" classname=\"\(escaped(each.ruleFile))\""
        let told = findings[row(input, each.ruleFile, each.rule)] ?? []
        let text = told.map { "\($0.line):\($0.column) \($0.sentence(in: language))" }.joined(separator: "\n")
        if each.isExcepted {
          let names = Set(told.compactMap(\.exception)).sorted().joined(separator: ", ")
          out += head + "><skipped message=\"\(escaped("exception \(names)"))\"/></testcase>\n"
          continue
        }
        switch each.status {
        case .pass: out += head + "/>\n"
        case .skip: out += head + "><skipped/></testcase>\n"
        case .fail:
          out +=
            head
            + "><failure message=\"\(say(counted(told.count, "finding"), "検出 \(told.count) 件"))\">\(escaped(text))</failure></testcase>\n"
        case .unknown:
          out +=
            head + "><error message=\"\(say("can't be told", "判定不能"))\">\(escaped(text))</error></testcase>\n"
        }
      }
      out += "  </testsuite>\n"
    }
    // What no rule was asked about: a resource that rules can't see, a call that failed.
    if !others.isEmpty {
      let (bad, open) = (others.count { $0.status == "FAIL" }, others.count { $0.status == "UNKNOWN" })
      out +=
        "  <testsuite name=\"resources\" tests=\"\(others.count)\" failures=\"\(bad)\" errors=\"\(open)\" "
        + "skipped=\"\(others.count - bad - open)\">\n"
      for finding in others {
        let name = finding.resource.isEmpty ? finding.rule : "\(finding.rule) \(finding.resource)"
        out += "    <testcase name=\"\(escaped(name))\" classname=\"\(escaped(finding.input))\">"
        switch finding.status {
        case "FAIL": out += "<failure message=\"\(escaped(finding.sentence(in: language)))\"/>"
        case "UNKNOWN": out += "<error message=\"\(escaped(finding.sentence(in: language)))\"/>"
        default: out += "<skipped message=\"\(escaped("exception \(finding.exception ?? "")"))\"/>"
        }
        out += "</testcase>\n"
      }
      out += "  </testsuite>\n"
    }
    if !result.faults.isEmpty {
      out +=
        "  <testsuite name=\"inputs\" tests=\"\(result.faults.count)\" errors=\"\(result.faults.count)\">\n"
      for fault in result.faults {
        out += "    <testcase name=\"read\"><error message=\"\(escaped(fault))\"/></testcase>\n"
      }
      out += "  </testsuite>\n"
    }
    return out + "</testsuites>\n"
  }

  /// As text of XML 1.0; characters that it can't hold, or that can't be seen, are written out.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.visible(keepsLines: true).unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\n": out += "&#10;"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
