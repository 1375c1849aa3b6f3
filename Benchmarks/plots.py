#!/usr/bin/env python3
"""Draws docs/plots/*.svg from the JSON lines that the benchmarks left in a folder (--results); of each benchmark the last
run. What wasn't measured is left as it is. Colours are readable on light and dark ground; the ground is transparent."""
import argparse
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
COLOURS = {
    "kabuto": "#2f7fd0", "cpp-map": "#d07a2a", "cpp-flat": "#b8a02c", "nautilus": "#3d9a5b", "nautilus-call": "#7fb08f",
    "hftbacktest": "#9a62c4", "itchfeed": "#8a8a8a", "uws": "#d07a2a", "nchan": "#3d9a5b", "floor": "#8a8a8a",
}
NAMES = {"kabuto": "Kabuto", "uws": "uWebSockets", "floor": "bare send calls", "cpp-map": "C++ map", "cpp-flat": "C++ flat",
         "nautilus-call": "nautilus, a call each"}
TEXT = "#7d8590"


def collected(folder):
    """Benchmark → lines of its last run, without the head."""
    runs = {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".jsonl"):
            continue
        with open(os.path.join(folder, name)) as lines:
            for text in lines:
                line = json.loads(text)
                if "benchmark" in line:
                    current = runs[line["benchmark"]] = []
                else:
                    current.append(line)
    return runs


class Plots:
    def __init__(self, out):
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as pyplot

        self.pyplot, self.out = pyplot, out
        pyplot.rcParams.update({
            "svg.fonttype": "none", "svg.hashsalt": "kabuto", "font.size": 9, "font.family": "sans-serif", "text.color": TEXT,
            "axes.labelcolor": TEXT, "axes.edgecolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT, "axes.spines.top": False,
            "axes.spines.right": False, "axes.grid": True, "grid.color": TEXT, "grid.alpha": 0.25, "axes.axisbelow": True,
            "legend.frameon": False, "axes.titlesize": 10, "axes.titlecolor": TEXT})

    def save(self, figure, name):
        os.makedirs(self.out, exist_ok=True)
        path = os.path.join(self.out, name + ".svg")
        figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
        self.pyplot.close(figure)
        print(path)

    def bars(self, axes, groups, peers, value, label, unit):
        """Groups of horizontal bars, a colour for each peer, with their figures."""
        place, ticks = 0.0, []
        most = max(value[key] for key in value)
        for group in groups:
            first = place
            for peer in peers:
                figure = value.get((group, peer))
                if figure is None:
                    continue
                axes.barh(place, figure, 0.8, color=COLOURS.get(peer, TEXT), label=peer)
                axes.text(figure + (0 if axes.get_xscale() == "log" else most * 0.01), place, f" {label(figure)}", va="center", fontsize=7)
                place += 1
            ticks.append(((first + place - 1) / 2, group))
            place += 0.8
        axes.set_yticks([t for t, _ in ticks], [name for _, name in ticks])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(unit)

    def legend(self, axes, peers, **more):
        handles = [self.pyplot.Rectangle((0, 0), 1, 1, color=COLOURS.get(peer, TEXT)) for peer in peers]
        axes.legend(handles, [NAMES.get(peer, peer) for peer in peers], fontsize=8, **more)

    def books(self, lines):
        value = {(one["file"].replace(", ", ",\n", 1), one["peer"]): one["ns_per_message"] for one in lines if one.get("equal")}
        groups = list(dict.fromkeys(group for group, _ in value))
        peers = [peer for peer in COLOURS if any(p == peer for _, p in value)]
        figure, axes = self.pyplot.subplots(figsize=(7.5, 0.21 * len(value) + 0.25 * len(groups) + 0.8))
        axes.set_xscale("log")
        axes.set_xlim(10, max(value.values()) * 2)
        self.bars(axes, groups, peers, value, lambda x: f"{x:,.0f}", "ns of CPU a message (log), less is better")
        self.legend(axes, peers, loc="upper center", bbox_to_anchor=(0.4, -0.6 / figure.get_figheight()), ncols=4)
        self.save(figure, "books")

    def fanout(self, lines):
        lines = [one for one in lines if "peer" in one]
        figure, both = self.pyplot.subplots(2, 1, figsize=(7.5, 0.19 * len(lines) + 2.6))
        peers = [peer for peer in ("kabuto", "uws", "nchan", "floor") if any(one["peer"] == peer for one in lines)]
        for axes, interval, field, scale, unit in (
            (both[0], 0, "deliveries_per_cpu_s", 1000, "thousand deliveries for each CPU second (log), every update; more is better"),
            (both[1], 50, "client_s_per_cpu_s", 1, "client seconds for each CPU second (log), 50 ms; more is better"),
        ):
            axes.set_xscale("log")
            value = {(f"{one['clients']:,} clients,\n{one['wanted']} of {one['instruments']:,}", one["peer"]): one[field] / scale
                     for one in lines if one["interval_ms"] == interval}
            if value:
                axes.set_xlim(min(value.values()) / 2, max(value.values()) * 3)
                self.bars(axes, list(dict.fromkeys(g for g, _ in value)), peers, value, lambda x: f"{x:,.0f}", unit)
        self.legend(both[0], peers, loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=4)
        figure.tight_layout()
        self.save(figure, "fanout")

    def latency(self, lines):
        lines = [one for one in lines if "messages_per_s" in one]
        figure, axes = self.pyplot.subplots(figsize=(7, 3.6))
        axes.set_xscale("log")
        axes.set_yscale("log")
        for peer in dict.fromkeys(one["peer"] for one in lines):
            mine = sorted((one for one in lines if one["peer"] == peer), key=lambda one: one["messages_per_s"])
            for field, name, style in (("p50", "p50", ":"), ("p99", "p99", "-"), ("p999", "p99.9", "--")):
                axes.plot([one["messages_per_s"] for one in mine], [one["delay_us"][field] / 1000 for one in mine], style, marker="o", ms=3.5,
                          color=COLOURS.get(peer, TEXT), label=f"{NAMES.get(peer, peer)} {name}")
        rates = sorted({one["messages_per_s"] for one in lines})
        axes.set_xticks(rates, [f"{rate:,}" for rate in rates])
        axes.minorticks_off()
        axes.axhline(1, color="#c04a4a", lw=0.8)
        axes.text(rates[0], 1.05, "goal: p99 at 100,000", fontsize=7, color="#c04a4a")
        axes.set_xlabel("messages a second (log)")
        axes.set_ylabel("delay, ms (log)")
        axes.legend(fontsize=7.5, loc="center left", bbox_to_anchor=(1, 0.5))
        self.save(figure, "latency")

    def opening(self, lines):
        found = next((one for one in lines if "delay_us" in one), None)
        if not found:
            return
        names = {"before": "ordinary, before", "during": "ordinary, during", "until_the_end": "ordinary,\nuntil the end", "greedy": "the one that\nwants all"}
        figure, axes = self.pyplot.subplots(figsize=(7, 3))
        axes.set_yscale("log")
        for shift, field, colour in ((-0.26, "p50", "#2f7fd0"), (0, "p99", "#d07a2a"), (0.26, "p999", "#9a62c4")):
            for place, name in enumerate(names):
                figure_ms = found["delay_us"][name][field] / 1000
                axes.bar(place + shift, figure_ms, 0.24, color=colour, label=field.replace("p999", "p99.9") if place == 0 else None)
                axes.text(place + shift, figure_ms, f"{figure_ms:,.0f}" if figure_ms >= 10 else f"{figure_ms:.1f}", ha="center", va="bottom", fontsize=7)
        axes.set_xticks(range(len(names)), list(names.values()))
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("delay, ms (log)")
        axes.set_ylim(bottom=1)
        axes.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.02))
        self.save(figure, "opening")

    def growth(self, lines):
        lines = [one for one in lines if "grown" in one]
        figure, axes = self.pyplot.subplots(figsize=(7, 2.8))
        base = next(one for one in lines if one["grown"] == "base")
        for shift, field, colour, label in ((-0.2, "cpu_us_per_update", "#2f7fd0", "CPU for each update"), (0.2, "cpu_us_per_frame", "#d07a2a", "CPU for each frame")):
            for place, one in enumerate(lines):
                axes.bar(place + shift, one[field] / base[field], 0.36, color=colour, label=label if place == 0 else None)
                axes.text(place + shift, one[field] / base[field], f"{one[field]:.2f} µs", ha="center", va="bottom", fontsize=7)
        axes.axhline(1.2, color="#c04a4a", lw=0.8)
        axes.set_xticks(range(len(lines)), [one["grown"] if one["grown"] == "base" else f"{one['grown']} × 10" for one in lines])
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("times the base")
        axes.legend(fontsize=8)
        self.save(figure, "growth")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--results", default=os.environ.get("KABUTO_BENCH_RESULTS"), help="folder of the JSON lines")
    p.add_argument("--out", default=os.path.join(HERE, "..", "docs", "plots"))
    p.add_argument("--list", action="store_true", help="only print what would be drawn, as JSON")
    a = p.parse_args()
    if not a.results or not os.path.isdir(a.results):
        raise SystemExit(f"--results: {a.results!r} found, wanted a folder with the JSON lines of the benchmarks")
    runs = collected(a.results)
    if a.list:
        print(json.dumps(runs))
        return
    plots = Plots(os.path.normpath(a.out))
    for name, lines in runs.items():
        if lines and hasattr(plots, name) and name not in ("save", "bars", "legend"):
            getattr(plots, name)(lines)


if __name__ == "__main__":
    main()
