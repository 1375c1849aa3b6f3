// What outsiders rely on: exit status and output of estate check, show, servers and schema.

import Foundation
import Testing

@Suite struct EstateCommandsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func checkSaysWhatIsWrong() throws {
    let good = try Program.run("estate", "check")
    #expect(
      good.status == 0 && good.text.isEmpty
        && good.complaints.hasPrefix("embedded: estate embedded, version 1"))
    let bad = try folder.file(
      "estate.yaml", Array("estate: x\nversion: 1\nsites:\n  - {name: s, zone: [a]}\n".utf8))
    let told = try Program.run("estate", "check", bad)
    #expect(told.status == 1)
    #expect(
      told.text.contains("\(bad):4:15: error K0105: sites[1]: the key \"zone\" isn't known in a site\n"))
    #expect(told.text.contains("did you mean \"zones\"?"))
    let json = try Program.run("estate", "check", bad, "--json")
    #expect(json.status == 1)
    let report = try json.json()
    #expect(report["errors"] as? Int == 2 && report["estate"] == nil)
    let faults = try #require(report["faults"] as? [[String: Any]])
    #expect(faults.map { $0["code"] as? String } == ["K0107", "K0105"])
    #expect(faults[1]["line"] as? Int == 4 && faults[1]["column"] as? Int == 15)
    #expect(faults[1]["severity"] as? String == "error" && faults[1]["nearest"] as? String == "zones")
    #expect(try Program.run("estate", "check", folder.path + "/none").status == 2)
    #expect(try Program.run("estate", "check", folder.path).status == 2)
    #expect(try Program.run("estate", "check", "--jsn").status == 64)
    #expect(try Program.run("estate", "check", "two-sites", "--json").json()["warnings"] as? Int == 0)
  }

  @Test func showDrawsAndTellsWhatWouldBreak() throws {
    let page = folder.path + "/e.html"
    #expect(
      try Program.run("estate", "show", "two-sites", "--out", page, "--without", "carrier:north").status == 0)
    let html = String(decoding: try #require(FileManager.default.contents(atPath: page)), as: UTF8.self)
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("carrier</span>") && html.contains("<svg"))
    #expect(try Program.run("estate", "show", "two-sites", "--out", folder.path + "/e.svg").status == 0)
    #expect(try Program.run("estate", "show", "two-sites", "--out", folder.path + "/e.png").status == 64)
    #expect(try Program.run("estate", "show", "two-sites", "--out", folder.path + "/no/e.svg").status == 2)
    let lost = try Program.run(
      "estate", "show", "two-sites", "--without", "plant-tky-a", "--without", "plant-tky-b")
    #expect(lost.text.contains("  gw-tky-a XTKS: switches, takes plant-osk-a\n"))
    let json = try Program.run("estate", "show", "two-sites", "--without", "dx-1", "--json")
    let all = try #require(try JSONSerialization.jsonObject(with: json.output) as? [[String: Any]])
    #expect(all.count == 1 && all[0]["links"] as? [String] == ["dx-12", "line-1", "port-1"])
    #expect(try Program.run("estate", "show", "two-sites").text.contains("\nrail a: prices go on\n"))
    #expect(try Program.run("estate", "show", "two-sites", "--without", "nobody").status == 2)
    #expect(try Program.run("estate", "show", "two-sites", "--without", "zone:nobody").status == 2)
    let bad = try folder.file("bad.yaml", Array("estate: x\n".utf8))
    #expect(try Program.run("estate", "show", bad).status == 1)
  }

  @Test func serversWantPasswords() throws {
    let without = try Program.run("estate", "servers", "two-sites", "--server", "nats-tky-a")
    #expect(without.status == 2 && without.complaints.contains("two-sites.credentials: can't be read"))
    let names = [
      "plant-tky-a", "plant-tky-b", "plant-osk-a", "plant-osk-b", "gw-tky-a", "gw-tky-b", "gw-osk-a",
      "gw-osk-b",
      "operator", "rail/a", "rail/b",
    ]
    let file = try folder.file("passwords", Array(names.map { "\($0) 12345678\n" }.joined().utf8))
    let printed = try Program.run(
      "estate", "servers", "two-sites", "--server", "nats-tky-a", "--credentials", file, "--streams", "/s")
    #expect(printed.status == 0 && printed.text.contains("user: \"gw-osk-b\""))
    let fewer = try folder.file("fewer", Array("operator 12345678\n".utf8))
    #expect(
      try Program.run("estate", "servers", "two-sites", "--server", "nats-tky-a", "--credentials", fewer)
        .status == 2)
    let unknown = try Program.run("estate", "servers", "two-zones", "--server", "nats-tky-c")
    #expect(unknown.status == 2 && unknown.complaints.contains("did you mean \"nats-tky-a\"?"))
    #expect(try Program.run("estate", "servers", "two-zones").text.split(separator: "\n").count == 2)
  }

  @Test func schemaIsOneDocument() throws {
    #expect(try Program.run("estate", "schema").json()["title"] as? String == "Kabuto estate")
    #expect(try Program.run("estate", "schema", "--reference").text.hasPrefix("### The file\n"))
  }
}
