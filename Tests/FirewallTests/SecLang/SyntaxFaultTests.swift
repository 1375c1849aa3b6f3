// What is said about rules that can't be read: place, what was found, what to write. All faults of a file at once.

import Firewall
import Testing

@Suite struct SyntaxFaultTests {
  static func faults(_ text: String) -> [String] { SyntaxTests.read(text).1 }

  @Test func allFaultsOfAFileAreReportedInOneGo() {
    let text = #"""
      SecRule ARGS "@rx a" "id:1,msg:'x'y,pass"
      SecRule ARGS
      SecMarker OK
      SecRule ARGS "@rx a
      SecRule ARGS "@rx a""id:1"
      SecRule ARGS:/a "@rx a" "id:1"
      SecRule ARGS||REQUEST_URI "@rx a" "id:1"
      SecRule ARGS| "@rx a" "id:1"
      SecRule ARGS: "@rx a" "id:1"
      SecRule "" "@rx a" "id:1"
      SecRule "ARGS REQUEST_URI" "@rx a" "id:1"
      SecRule !&ARGS "@rx a" "id:1"
      SecRule TX:// "@rx a" "id:1"
      SecRule ARGS:'a "@rx a" "id:1"
      SecRule ARGS "@rx.a" "id:1"
      SecRule ARGS "@" "id:1"
      SecRule ARGS "@rx a" \
        "id:1,\
        # no comment here,\
        pass"
      SecRule ARGS "@rx a" \
        "id:1,\
        msg:'open,\
        pass"
      SecAction "id:1" pass
      SecRuleEngine
      SecAction "id:1,\ 
        pass"
      "@rx b" \
        "id:2"
      SecRuleUpdateTargetById 1 "!ARGS:/x"
      SecRuleUpdateActionById 1 "msg:'x"
      """#
    let told = Self.faults(text)
    let expected = [
      "a.conf:1: error: `y,pass` after the value of `msg`; put a comma between actions, and write a ' inside a"
        + " value as \\'",
      "a.conf:2: error: SecRule with 1 argument; it takes 2 to 3, in double quotes where they hold blanks",
      "a.conf:4: error: the quote that opens at `\"@rx a` is never closed; close it with \", or end the line with"
        + " a backslash to go on in the next",
      "a.conf:5: error: `\"id:1\"` stands right after a closing \"; put a blank between arguments, and write a \""
        + " inside one as \\\"",
      "a.conf:6: error: the pattern at `ARGS:/a` is never closed; end it with / (before the next | or the end),"
        + " or quote a name that starts with one: '/name'",
      "a.conf:7: error: `|REQUEST_URI` where a variable's name should be; write names such as ARGS or"
        + " REQUEST_HEADERS:Host, with | between them",
      "a.conf:8: error: a list of variables that ends with |; write names such as ARGS or REQUEST_HEADERS:Host,"
        + " with | between them",
      "a.conf:9: error: nothing after `ARGS:`; name a member after the colon, or leave the colon out",
      "a.conf:10: error: an empty list of variables; name at least one, such as ARGS",
      "a.conf:11: error: `REQUEST_URI` after the variable `ARGS`; part variables with |, and put the list in"
        + " double quotes if it holds blanks",
      "a.conf:12: error: `!&ARGS` where a variable's name should be; write names such as ARGS or"
        + " REQUEST_HEADERS:Host, with | between them",
      "a.conf:13: error: an empty pattern, `TX://`; write a pattern between the slashes",
      "a.conf:14: error: the quote at `ARGS:'a` is never closed; close it with '",
      "a.conf:15: error: `@rx.a` where an operator should be; write @name and a blank before its argument; a"
        + " pattern that starts with @ needs @rx in front",
      "a.conf:16: error: `@` where an operator should be; write @name and a blank before its argument; a pattern"
        + " that starts with @ needs @rx in front",
      "a.conf:19: error: `# no comment here,pass` where an action should be; write name or name:value with a"
        + " comma between actions, and values with commas in single quotes",
      "a.conf:23: error: the quote at `msg:'open,pass` is never closed; close it with ', and write a ' inside it"
        + " as \\'",
      "a.conf:25: error: SecAction with 2 arguments; it takes 1, in double quotes where it holds blanks",
      "a.conf:26: error: SecRuleEngine with 0 arguments; it takes 1, in double quotes where it holds blanks",
      "a.conf:27: error: blanks follow the backslash that should join this line and the next; let the backslash"
        + " be the last byte of the line",
      "a.conf:28: error: `pass\"` where a directive should be; start with a name such as SecRule; a line that goes"
        + " on from one above needs a backslash there, one that goes on from a comment its own #",
      "a.conf:29: error: `@rx b` where a directive should be; start with a name such as SecRule; a line that goes"
        + " on from one above needs a backslash there, one that goes on from a comment its own #",
      "a.conf:31: error: the pattern at `ARGS:/x` is never closed; end it with / (before the next | or the end),"
        + " or quote a name that starts with one: '/name'",
      "a.conf:32: error: the quote at `msg:'x` is never closed; close it with ', and write a ' inside it as \\'",
    ]
    for (index, line) in expected.enumerated() where index < told.count { #expect(told[index] == line) }
    #expect(told.count == expected.count)
  }

  @Test func sectionsMustBeKnownAndClosed() {
    let told = Self.faults(
      """
      <VirtualHost *:80>
      SecMarker
      </VirtualHost>
      </IfModule>
      <IfModule a
      <IfModule>
      <IfModule b>
      </IfDefine>
      """)
    #expect(
      told == [
        "a.conf:1: error: the section `<VirtualHost *:80>`; only <IfModule> is known: rules here are for all"
          + " requests",
        "a.conf:2: error: SecMarker with 0 arguments; it takes 1, in double quotes where it holds blanks",
        "a.conf:4: error: `</IfModule>` closes nothing; no section is open here",
        "a.conf:5: error: `<IfModule a` has no closing >; write <IfModule name> … </IfModule>",
        "a.conf:6: error: `<IfModule>`; name one module: <IfModule security2_module>",
        "a.conf:8: error: `</IfDefine>` closes nothing; <IfModule> of line 7 is to be closed first",
        "a.conf:6: error: <IfModule> is never closed; close it with </IfModule>",
        "a.conf:7: error: <IfModule> is never closed; close it with </IfModule>",
      ])
  }

  @Test func rulesAreText() {
    var directives: [DirectiveSyntax] = []
    var faults: [RuleFault] = []
    let text =
      Array("# caf".utf8) + [0xE9, 10] + Array("SecRule ARGS \\\n \"@rx caf".utf8) + [0xE9]
      + Array("\" \\\n id:1\nSecMarker ".utf8) + [0, 10]
    SecLangParser.parse(text, file: "a.conf", into: &directives, faults: &faults)
    #expect(directives.isEmpty)
    #expect(
      faults.map(\.description) == [
        "a.conf:3: error: bytes that are not UTF-8; rules are UTF-8: write other bytes as \\xE9 in a pattern or as"
          + " |E9| in a list of phrases",
        "a.conf:5: error: a byte 0; rules are text: write \\x00 in a pattern",
      ])
  }
}
