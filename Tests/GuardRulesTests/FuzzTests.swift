// Rules, documents and files of tests that nobody would write: each is read or refused, evaluated or refused, and ends.

import GuardRules
import TestChance
import Testing

@Suite struct RuleFuzzTests {
  static let signs = [
    "{", "}", "[", "]", "(", ")", "<<", ">>", " or ", " when ", "rule ", "let ", "%", ".*", "[*]", "'", "\"",
    "/", "\\", "!", " not ",
    " some ", " == ", " in ", " exists", " empty", "#", "\n", "::", "AWS::S3::Bucket", "r[", "r(", ",",
    "keys", "this", "|", "é", "\u{0}",
    "99999999999999999999", "-", "1e", "count(", "json_parse(", "regex_replace(", "null", "/(a+)+$/", "%v",
    ".%v",
  ]
  static let rules = [
    """
    let v = Resources.*[ Type == 'AWS::S3::Bucket' ]
    rule one when %v !empty {
      %v.Properties {
        Name exists <<a name>>
        Name == /^[a-z]{3,63}$/ or Tags[*] { Key in ['a', "b"] }
        when Size exists { Size in r[1,10) }
      }
    }
    rule two(p) { %p !empty or some %p.x[ keys == /a/ ] == { a: [1, true] } }
    rule three when one { two(%v)
      let n = count(%v.*) let m = regex_replace(join(Resources.*.Type, ','), 'A(.)', '${1}')
      %n >= 1 %m !empty
      AWS::S3::Bucket when v exists { Properties.%v exists }
    }
    """,
    "rule a { x[ k | this.y not in [1.5, -2] ].z !exists\n not %k == 'it\\'s' }\nb exists or not a",
  ]
  static let documents = [
    "Resources:\n  A: {Type: 'AWS::S3::Bucket', Properties: {Name: abc, Size: 5, Tags: [{Key: a}, !Ref b]}}\nx: [1, yes, ~, !Sub 'a${b}']\n",
    "{\"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\", \"Properties\": {\"Name\": \"q\"}}}, \"v\": null}",
  ]

  @Test func mutatedRulesAreReadOrRefusedFuzz() throws {
    let document = try Value.reading(yaml: Self.documents[0])
    fuzz(rounds: 4_000) { round in
      var chance = Chance(round: round)
      let text = chance.mutated(chance.pick(Self.rules), Self.signs)
      do throws(RuleFaults) {
        let file = try RuleFile(text, name: "t")
        // Every file that was read can be evaluated, or says why not.
        do throws(EvaluationFault) { _ = try file.evaluate(document, now: 0) } catch {
          #expect(!error.reason.isEmpty)
        }
      } catch {
        let lines = text.utf8.count { $0 == 10 } + 1
        #expect(
          !error.all.isEmpty
            && error.all.allSatisfy { (1...lines).contains(Int($0.place.line)) && $0.place.column > 0 },
          seedNote)
      }
    }
  }

  @Test func mutatedDocumentsAreReadOrRefusedFuzz() throws {
    let files = try Self.rules.map { try RuleFile($0, name: "t") }
    fuzz(rounds: 4_000) { round in
      var chance = Chance(round: round)
      let text = chance.mutated(
        chance.pick(Self.documents),
        [
          "{", "}", "[", "]", ":", "- ", "&a ", "*a", "!Ref ", "!GetAtt ", "? ", "| ", "'", "\n", "\t",
          "<<: ", "é", "~",
        ])
      do throws(DocumentFault) {
        let value = try Value.reading(yaml: text, chance.below(2) == 0 ? .documents : .tests)
        for file in files { _ = try? file.evaluate(value, now: 0) }
      } catch { #expect(!error.found.isEmpty, seedNote) }
      _ = try? RuleTest.reading(text)
    }
  }
}
