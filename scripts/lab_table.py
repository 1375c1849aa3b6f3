#!/usr/bin/env python3
"""One table of the laboratory's reports: OUT/SCENARIO/report.json, a row a scenario, in Markdown.

    lab_table.py [OUT [SCENARIO ...]]     without names: all that are there
"""

import json
import pathlib
import statistics
import sys


def main():
    out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "kabuto-lab")
    names = sys.argv[2:]
    paths = [out / name / "report.json" for name in names] if names else sorted(out.glob("*/report.json"))
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        sys.exit(f"{', '.join(missing)}: not found; wanted reports of this run")
    reports = [json.loads(path.read_text()) for path in paths]
    if not reports:
        sys.exit(f"{out}: no reports found; wanted SCENARIO/report.json")
    print("| scenario | runs | outage p50 | outage max | waited max | two connections p50 | max | waited max "
          "| control's longest wait | lost | repeated | out of order | wrong | faults |")
    print("|" + " --- |" * 14)
    for report in reports:
        single, merged = [], []
        waited = {1: 0, 2: 0}
        for run in report["runs"]:
            for kind, values in ((1, single), (2, merged)):
                found = [c["outage_ms"] for c in run["clients"] if c["connections"] == kind]
                if found:
                    values.append(max(found))
                    waited[kind] = max([waited[kind]] + [c["waited_ms"] for c in run["clients"]
                                                         if c["connections"] == kind])
        waits = [c["waited_ms"] for run in report["controls"] for c in run["clients"]]
        row = [report["scenario"], len(report["runs"])]
        for kind, values in ((1, single), (2, merged)):
            row += [f"{statistics.median(values):.0f} ms" if values else "–",
                    f"{max(values):.0f} ms" if values else "–",
                    f"{waited[kind]:.0f} ms" if values else "–"]
        row += [f"{max(waits, default=0):.0f} ms", report["lost"], report["repeated"], report["out_of_order"],
                report["wrong"], len(report["faults"])]
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()
    for report in reports:
        for fault in report["faults"]:
            print(f"{report['scenario']}: fault: {fault}")
        crossing = report.get("crossing")
        if crossing and crossing["updates"]:
            print(f"{report['scenario']}: {crossing['backbone_bytes_out'] / crossing['updates']:.0f} bytes of the backbone "
                  f"out of the first site and {crossing['backbone_bytes_in'] / crossing['updates']:.0f} into it an update; "
                  f"machine busy {report['busy_share'] * 100:.0f} %, {report['own_share'] * 100:.0f} % by the laboratory")


main()
