// The viewer's stream modules by themselves: choice of servers, merging, and KabutoStream against servers that are made
// up here. Runs in the browser (test_elsewhere.py) and, where node is installed, with `node Tests/Browser/stream_cases.js`.
// Not a module, so that a browser test can hand it over as text: `cases(modules, seed)` gives [{name, error}].

/* exported cases */
async function cases({ EndpointChooser, streamAddress, restOrigin, StreamMerger, KabutoStream }, seed) {
  // A generator that can be repeated (mulberry32).
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (bound) => Math.floor(random() * bound);
  const same = (found, wanted, what) => {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) throw new Error(`${what}: ${a}, wanted ${b}`);
  };
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const until = async (what, name) => {
    for (let i = 0; i < 2000; i += 1) {
      if (what()) return;
      await sleep(5);
    }
    throw new Error(`waited in vain for ${name}`);
  };

  // A feed: every message changes one field of one instrument, or trades.

  class Feed {
    constructor() {
      this.seq = 0;
      this.messages = []; // index = seq - 1
      this.states = new Map(); // instrument → [{seq, fields}]
    }
    step(instruments = ["A", "B"]) {
      this.seq += 1;
      const instrument = instruments[below(instruments.length)];
      const field = ["bid", "ask", "last", "volume"][below(4)];
      const message = { seq: this.seq, instrument, field, value: this.seq * 10 + below(10), trade: random() < 0.4 };
      this.messages.push(message);
      const list = this.states.get(instrument) ?? [];
      const before = list.length > 0 ? list[list.length - 1].fields : { bid: null, ask: null, last: null, volume: 0 };
      list.push({ seq: this.seq, fields: { ...before, [field]: message.value } });
      this.states.set(instrument, list);
    }
    fields(instrument, seq) {
      let found = { bid: null, ask: null, last: null, volume: 0 };
      for (const one of this.states.get(instrument) ?? []) if (one.seq <= seq) found = one.fields;
      return found;
    }
    lastChange(instrument, through) {
      let seq = 0;
      for (const one of this.states.get(instrument) ?? []) if (one.seq <= through) seq = one.seq;
      return seq;
    }
    /** Events of what changed in (from, through]. */
    changes(channel, instrument, from, through) {
      const messages = this.messages.slice(from, through).filter((one) => one.instrument === instrument);
      if (messages.length === 0) return [];
      const head = { type: "update", channel, instrument };
      if (channel === "trades") return messages.filter((one) => one.trade).map((one) => ({ ...head, seq: one.seq, match: one.seq, price: one.value }));
      const fields = this.fields(instrument, through);
      const changed = Object.fromEntries(messages.map((one) => [one.field, fields[one.field]]));
      return [{ ...head, seq: messages[messages.length - 1].seq, ...changed }];
    }
    snapshot(channel, instrument, through, stale = null) {
      const head = { type: "snapshot", channel, instrument, market: "M", epoch: "E1", stale };
      if (channel === "trades") {
        const trades = this.messages.slice(0, through).filter((one) => one.instrument === instrument && one.trade)
          .map((one) => ({ seq: one.seq, match: one.seq, price: one.value })).reverse().slice(0, 50);
        return { ...head, seq: trades[0]?.seq ?? 0, trades, state: "trading", reference: 1, reference_date: "d" };
      }
      return { ...head, seq: this.lastChange(instrument, through), trades: 7, ...this.fields(instrument, through) };
    }
  }

  /** What a page keeps, and a look at whether it is what the feed was at that number. */
  class Page {
    constructor(feed) {
      this.feed = feed;
      this.views = new Map();
      this.faults = [];
    }
    take(events, mayBeWrong = false) {
      for (const event of events) {
        if (!event.instrument) continue;
        const key = `${event.channel}/${event.instrument}`;
        const view = this.views.get(key) ?? { seq: -1, fields: {}, trades: new Map(), stale: false };
        this.views.set(key, view);
        if (event.type === "stale" || event.type === "fresh") {
          view.stale = event.type === "stale";
          continue;
        }
        if (event.type === "snapshot") view.stale = !!event.stale;
        if (event.channel === "trades") {
          if (event.type === "snapshot") view.trades = new Map(event.trades.map((trade) => [trade.match, trade]));
          else if (view.trades.has(event.match)) this.faults.push(`${key}: trade ${event.match} twice`);
          else view.trades.set(event.match, event);
          continue;
        }
        if (event.type === "update" && event.seq <= view.seq) this.faults.push(`${key}: ${event.seq} after ${view.seq}`);
        view.seq = event.seq;
        for (const name of ["bid", "ask", "last", "volume"]) if (event[name] !== undefined) view.fields[name] = event[name];
        const wanted = JSON.stringify(this.feed.fields(event.instrument, event.seq));
        const found = JSON.stringify({ bid: view.fields.bid, ask: view.fields.ask, last: view.fields.last, volume: view.fields.volume });
        if (found !== wanted && !mayBeWrong && !view.stale) this.faults.push(`${key} at ${event.seq}: ${found}, wanted ${wanted}`);
      }
    }
    /** Whether all trades of the last `count` are there. */
    lostTrades(instrument, through, count = 50) {
      const view = this.views.get(`trades/${instrument}`);
      const wanted = this.feed.messages.slice(0, through).filter((one) => one.instrument === instrument && one.trade).slice(-count);
      return wanted.filter((one) => !view?.trades.has(one.seq)).map((one) => one.seq);
    }
  }

  const tests = {
    // Choice

    addressesAreTakenAsServersGiveThem() {
      same(streamAddress("http://a:1"), "ws://a:1/v1/stream", "http");
      same(streamAddress("https://a/"), "wss://a/v1/stream", "https");
      same(streamAddress("ws://a:1/v1/stream?heartbeat=5#x"), "ws://a:1/v1/stream", "ws");
      same(restOrigin("wss://a:2/v1/stream"), "https://a:2", "origin");
    },

    theNearestThatIsWellIsChosen() {
      const chooser = new EndpointChooser(["ws://a", "ws://b", "ws://c"]);
      const url = (now, ...excluded) => chooser.choose(now, new Set(excluded.map(streamAddress)))?.endpoint.url;
      same(url(0), streamAddress("ws://a"), "first");
      chooser.lost(streamAddress("ws://a"), 0);
      same(url(1), streamAddress("ws://b"), "a was lost");
      chooser.leaving(streamAddress("ws://b"), 1, 5000);
      same(url(2), streamAddress("ws://c"), "b leaves");
      same(url(2, "ws://c"), streamAddress("ws://a"), "the one whose time ends first");
      same(chooser.choose(2, new Set(["ws://a", "ws://b", "ws://c"].map(streamAddress))), null, "all excluded");
      if (!(chooser.choose(2, new Set([streamAddress("ws://c")])).waitMs > 0)) throw new Error("a wait");
    },

    failuresAreWaitedForLongerAndLonger() {
      const chooser = new EndpointChooser(["ws://a"], { random: () => 1 });
      const waits = [];
      let now = 0;
      for (let i = 0; i < 8; i += 1) {
        chooser.lost(streamAddress("ws://a"), now);
        waits.push(chooser.choose(now).waitMs);
        now += waits[i];
      }
      same(waits, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000], "waits");
      chooser.opened(streamAddress("ws://a"), 5);
      same(chooser.choose(now).waitMs, 0, "after success");
    },

    aNearerOneIsGoneBackToOnlyAfterItWasWellForAWhile() {
      const [a, b] = ["ws://a", "ws://b"].map(streamAddress);
      const chooser = new EndpointChooser([a, b], { wellForMs: 10000 });
      const lookEach = (from, to, isWell = () => true) => {
        for (let now = from; now <= to; now += 1000) {
          chooser.looked(a, now, isWell(now));
          if (chooser.better(b, now)) return now;
        }
        return null;
      };
      same(lookEach(0, 9000), null, "not before");
      same(lookEach(10000, 11000), 10000, "after ten seconds");
      chooser.looked(a, 12000, false);
      same(lookEach(13000, 22000), null, "a failure begins it anew");
      same(chooser.better(a, 30000), null, "nothing is nearer than the nearest");
      // It didn't last: twice as long.
      chooser.returned(a, 30000);
      chooser.lost(a, 31000);
      same(lookEach(40000, 59000), null, "twenty seconds after a return that didn't last");
      same(lookEach(60000, 61000), 60000, "then");
      for (let i = 0; i < 20; i += 1) {
        chooser.returned(a, 100000 + i);
        chooser.lost(a, 100000 + i);
      }
      same(chooser.patienceMs(chooser.find(a)), 320000, "bounded");
    },

    measuredServersAreNearWhenTheyAnswerMuchSooner() {
      const [a, b] = ["ws://a", "ws://b"].map(streamAddress);
      const chooser = new EndpointChooser([a, b], { measured: true });
      chooser.opened(a, 80);
      chooser.opened(b, 70);
      same(chooser.preferred()[0].url, a, "about the same: the order given");
      for (let i = 0; i < 20; i += 1) chooser.opened(b, 5);
      same(chooser.preferred()[0].url, b, "much sooner");
    },

    aServersListIsLearned() {
      const chooser = new EndpointChooser(["ws://a"]);
      chooser.rank([{ url: "http://b", node: "gw-b" }, { url: "http://a", node: "gw-a" }]);
      same(chooser.preferred().map((one) => one.node), ["gw-b", "gw-a"], "ranked");
      chooser.learn(["ws://c", "ws://a"]);
      same(chooser.preferred().map((one) => one.url), ["ws://b", "ws://a", "ws://c"].map(streamAddress), "behind");
    },

    // Merging

    theFirstOfTwoWinsAndNothingComesTwice() {
      const feed = new Feed();
      for (let i = 0; i < 20; i += 1) feed.step(["A"]);
      const merger = new StreamMerger();
      const page = new Page(feed);
      const opening = () => null;
      for (const side of [1, 2]) page.take(merger.take(side, [feed.snapshot("quotes", "A", 20)], opening));
      for (let i = 0; i < 10; i += 1) feed.step(["A"]);
      const first = merger.take(1, feed.changes("quotes", "A", 20, 25), opening);
      const late = merger.take(2, feed.changes("quotes", "A", 20, 23), opening);
      const ahead = merger.take(2, feed.changes("quotes", "A", 23, 30), opening);
      page.take([...first, ...late, ...ahead]);
      same([first.length, late.length, ahead.length], [1, 0, 1], "handed on");
      same(page.faults, [], "faults");
      same(merger.take(1, feed.changes("quotes", "A", 25, 30), opening), [], "known");
    },

    aLeftDayNeverComesBack() {
      const merger = new StreamMerger();
      const opening = () => null;
      const old = { type: "snapshot", channel: "quotes", instrument: "A", market: "M", epoch: "E1", seq: 50, bid: 1, stale: null };
      const next = { ...old, epoch: "E2", seq: 3, bid: 2 };
      const update = { type: "update", channel: "quotes", instrument: "A", seq: 51, bid: 9 };
      merger.take(1, [old], opening);
      merger.take(2, [old], opening);
      same(merger.take(1, [next], opening).length, 1, "the new day");
      same(merger.take(2, [update], opening), [], "an update of the old one");
      same(merger.take(2, [old], opening), [], "a snapshot of the old one");
      same(merger.take(2, [next], opening), [], "the second comes to the new day");
      same(merger.take(2, [{ ...update, seq: 4 }], opening).length, 1, "and goes on");
    },

    whoeverHasAGapIsNotHeardWhileAnotherIsWhole() {
      const merger = new StreamMerger();
      const opening = () => null;
      const snapshot = { type: "snapshot", channel: "quotes", instrument: "A", market: "M", epoch: "E1", seq: 1, bid: 1, stale: null };
      for (const side of [1, 2]) merger.take(side, [snapshot], opening);
      const stale = { type: "stale", channel: "quotes", instrument: "A", seq: 5, stale: { since: "t", reason: "gap" } };
      const update = (seq, bid) => ({ type: "update", channel: "quotes", instrument: "A", seq, bid });
      same(merger.take(1, [stale, update(6, 66)], opening), [], "wrong, and kept back");
      same(merger.take(2, [update(6, 6)], opening).length, 1, "the whole one");
      same([...merger.owed(1)], ["M"], "its position says nothing");
      // The whole one goes: the page hears that what is left is stale, and the other begins anew.
      same(merger.leave(2).map((event) => event.type), ["stale"], "told");
      same([...merger.anew], [1], "anew");
      same(merger.take(1, [{ ...snapshot, seq: 7, bid: 7 }], opening).length, 1, "from there");
      // Who joins and resumes without being told of staleness is whole.
      const from = new Map([["M", { epoch: "E1", seq: 7 }]]);
      merger.take(1, [{ ...stale, seq: 8 }], opening);
      const back = merger.take(3, [{ type: "resumed", id: "1", mode: "exact" }], () => ({ channel: "quotes", instruments: ["*"], from }));
      same(back.map((event) => event.type), ["resumed", "fresh"], "fresh again");
    },

    bothStaleIsStaleAndOneFreshIsFresh() {
      const merger = new StreamMerger();
      const opening = () => null;
      const snapshot = { type: "snapshot", channel: "quotes", instrument: "A", market: "M", epoch: "E1", seq: 1, bid: 1, stale: null };
      for (const side of [1, 2]) merger.take(side, [snapshot], opening);
      const stale = { type: "stale", channel: "quotes", instrument: "A", seq: 5, stale: { since: "t", reason: "silent" } };
      const fresh = { type: "fresh", channel: "quotes", instrument: "A", seq: 9 };
      same([1, 2, 1, 2].map((side, i) => merger.take(side, [i < 2 ? stale : fresh], opening).length), [0, 1, 1, 0], "told once");
      const beat = (state) => ({ type: "heartbeat", time: "t", sources: [{ market: "M", epoch: "E1", seq: 9, state }] });
      same(merger.take(1, [beat("stale")], opening)[0].sources[0].state, "stale", "one");
      same(merger.take(2, [beat("live")], opening)[0].sources[0].state, "live", "the better");
      same(merger.take(1, [beat("stale")], opening)[0].sources[0].state, "live", "still");
    },

    aPageThatSubscribesAnewGetsItsSnapshot() {
      const feed = new Feed();
      for (let i = 0; i < 20; i += 1) feed.step(["A"]);
      const merger = new StreamMerger();
      const opening = () => null;
      for (const side of [1, 2]) merger.take(side, [feed.snapshot("quotes", "A", 20)], opening);
      merger.expect("quotes", ["A.M"]);
      same([1, 2].map((side) => merger.take(side, [feed.snapshot("quotes", "A", 20)], opening).length), [1, 0], "once");
    },

    barsThatCloseWithTheNextOnesFirstTradeAreBothHandedOn() {
      const merger = new StreamMerger();
      const opening = () => null;
      const bar = (seq, start, closed) => ({ type: "update", channel: "bars", instrument: "A", seq, start, closed });
      for (const side of [1, 2]) merger.take(side, [{ ...bar(1, "09:00", false), type: "snapshot", market: "M", epoch: "E1", stale: null }], opening);
      const both = [bar(5, "09:00", true), bar(5, "09:01", false)];
      same([1, 2].map((side) => merger.take(side, both, opening).length), [2, 0], "once each");
    },

    mergedStreamsAreTheFeedWhateverIsLost() {
      for (let round = 0; round < 150; round += 1) mergedRound(round);
    },
  };

  /** Two gateways that lag, flush and are cut at random, and now and then are wrong; a page that hears both. */
  function mergedRound(round) {
    const feed = new Feed();
    for (let i = 0; i < 10; i += 1) feed.step();
    const merger = new StreamMerger();
    const page = new Page(feed);
    let nextSide = 0;
    let safe = 0;
    const keys = ["quotes", "trades"].flatMap((channel) => ["A", "B"].map((instrument) => [channel, instrument]));
    const gateways = [0, 1].map(() => ({ at: feed.seq, isWrong: false }));
    const lines = [null, null];
    const connect = (i) => {
      const gateway = gateways[i];
      gateway.at = Math.max(gateway.at, safe);
      const line = { side: (nextSide += 1), queue: [], flushed: gateway.at, from: safe > 0 && !merger.owed(null).has("M") ? safe : null };
      const exact = line.from !== null && random() < 0.7 && !gateway.isWrong;
      const frame = [];
      for (const [channel, instrument] of keys) {
        frame.push({ type: "subscribed", id: `${channel}/${instrument}`, channel });
        if (line.from !== null) frame.push({ type: "resumed", id: `${channel}/${instrument}`, mode: exact ? "exact" : "snapshot" });
        if (exact) frame.push(...feed.changes(channel, instrument, safe, gateway.at));
        else frame.push(wrong(gateway, feed.snapshot(channel, instrument, gateway.at, gateway.isWrong ? { since: "t", reason: "gap" } : null)));
      }
      line.queue.push({ at: gateway.at, events: frame });
      lines[i] = line;
      merger.join(line.side);
    };
    const wrong = (gateway, event) => (gateway.isWrong && event.channel === "quotes" && event.bid !== undefined ? { ...event, bid: -1 } : event);
    const flush = (i) => {
      const [gateway, line] = [gateways[i], lines[i]];
      const events = keys.flatMap(([channel, instrument]) => feed.changes(channel, instrument, line.flushed, gateway.at)).map((event) => wrong(gateway, event));
      line.flushed = gateway.at;
      line.queue.push({ at: gateway.at, events });
    };
    const deliver = (i) => {
      const line = lines[i];
      const frame = line.queue.shift();
      if (!frame) return;
      const from = line.from === null ? null : new Map([["M", { epoch: "E1", seq: line.from }]]);
      const opening = (id) => ({ channel: id.split("/")[0], instruments: [id.split("/")[1]], from });
      page.take(merger.take(line.side, frame.events, opening));
      askAnew();
      // Until what was asked for anew has come, its position says nothing.
      if (line.waits === frame) line.waits = null;
      if (!line.waits && !gateways[i].isWrong && !merger.owed(line.side).has("M")) safe = Math.max(safe, frame.at);
    };
    const cut = (i) => {
      page.take(merger.leave(lines[i].side));
      lines[i] = null;
      askAnew();
    };
    const askAnew = () => {
      if (merger.wentBack) safe = 0;
      merger.wentBack = false;
      for (const i of [0, 1]) {
        const [line, gateway] = [lines[i], gateways[i]];
        if (!line || !merger.anew.delete(line.side)) continue;
        const stale = gateway.isWrong ? { since: "t", reason: "gap" } : null;
        line.flushed = gateway.at;
        line.waits = { at: gateway.at, events: keys.map(([channel, instrument]) => wrong(gateway, feed.snapshot(channel, instrument, gateway.at, stale))) };
        line.queue.push(line.waits);
      }
      merger.anew.clear();
    };
    const steps = [];
    for (let step = 0; step < 120; step += 1) {
      const i = below(2);
      const gateway = gateways[i];
      const what = below(100);
      steps.push(what * 2 + i);
      if (what < 30) feed.step();
      else if (what < 50) gateway.at = Math.min(feed.seq, gateway.at + below(4));
      else if (!lines[i]) connect(i);
      else if (what < 70) flush(i);
      else if (what < 90) deliver(i);
      else if (what < 94) cut(i);
      else if (what < 97 && !gateway.isWrong && !gateways[1 - i].isWrong) {
        flush(i);
        gateway.isWrong = true;
        lines[i].queue.push({ at: gateway.at, events: keys.map(([channel, instrument]) => ({ type: "stale", channel, instrument, seq: gateway.at, stale: { since: "t", reason: "gap" } })) });
      } else if (gateway.isWrong) {
        gateway.isWrong = false;
        lines[i].flushed = gateway.at;
        lines[i].queue.push({ at: gateway.at, events: keys.map(([channel, instrument]) => feed.snapshot(channel, instrument, gateway.at)) });
      }
    }
    // In the end all is well, and the page is where the feed is.
    for (const i of [0, 1]) {
      gateways[i].at = feed.seq;
      if (gateways[i].isWrong) {
        gateways[i].isWrong = false;
        if (lines[i]) {
          lines[i].flushed = feed.seq;
          lines[i].queue.push({ at: feed.seq, events: keys.map(([channel, instrument]) => feed.snapshot(channel, instrument, feed.seq)) });
        }
      }
      if (!lines[i]) connect(i);
      flush(i);
      while (lines[i].queue.length > 0) deliver(i);
    }
    const name = `round ${round}`;
    same(page.faults.slice(0, 3), [], name);
    for (const instrument of ["A", "B"]) {
      same(page.lostTrades(instrument, feed.seq), [], `${name}: trades of ${instrument}`);
      const view = page.views.get(`quotes/${instrument}`);
      same({ ...feed.fields(instrument, feed.seq), ...view.fields }, feed.fields(instrument, feed.seq), `${name}: ${instrument}`);
      same(view.stale, false, `${name}: ${instrument} stale`);
    }
  }

  // KabutoStream against servers that are made up

  class MadeUpServer {
    constructor(url, feed) {
      this.url = streamAddress(url);
      this.feed = feed;
      this.isUp = true;
      this.isFrozen = false;
      this.isReady = true;
      this.sockets = [];
      this.resumed = [];
      this.opened = 0;
      this.endedWith = [];
    }
    freeze() {
      this.isFrozen = true;
    }
    kill() {
      this.isUp = false;
      for (const socket of this.sockets.slice()) socket.drop(1006, "");
    }
    move(endpoints = [], inMs = 100) {
      this.isReady = false;
      for (const socket of this.sockets) socket.say([{ type: "move", in_ms: inMs, reason: "test", endpoints }]);
    }
    flush() {
      if (!this.isFrozen) for (const socket of this.sockets) socket.flush();
    }
  }

  const madeUp = (servers) =>
    class MadeUpSocket {
      constructor(address) {
        const url = new URL(address);
        this.heartbeat = Number(url.searchParams.get("heartbeat") ?? 0);
        this.readyState = 0;
        this.subscriptions = new Map();
        this.server = servers.find((server) => server.url === streamAddress(address));
        setTimeout(() => {
          if (this.readyState !== 0 || this.server.isFrozen) return;
          if (!this.server.isUp || !this.server.isReady) return this.drop(1006, "");
          this.readyState = 1;
          this.server.opened += 1;
          this.server.sockets.push(this);
          this.onopen?.({});
          if (this.heartbeat) {
            this.beat();
            this.timer = setInterval(() => this.beat(), this.heartbeat);
          }
        }, 1);
      }
      beat() {
        this.say([{ type: "heartbeat", time: "t", conflated: 0, every: this.heartbeat }]);
      }
      say(events) {
        if (this.readyState === 1 && !this.server.isFrozen) this.onmessage?.({ data: JSON.stringify(events) });
      }
      send(text) {
        if (this.server.isFrozen) return;
        const message = JSON.parse(text);
        if (message.op !== "subscribe" && message.op !== "resume") return;
        const { id, channel, instruments } = message;
        const feed = this.server.feed;
        setTimeout(() => {
          const events = [{ type: "subscribed", id, channel, interval: 0 }];
          if (message.from) {
            this.server.resumed.push(message.from);
            events.push({ type: "resumed", id, mode: "exact", missed: null });
            for (const instrument of instruments) events.push(...feed.changes(channel, instrument, message.from[0].seq, feed.seq));
          } else for (const instrument of instruments) events.push(feed.snapshot(channel, instrument, feed.seq));
          this.subscriptions.set(id, { channel, instruments, flushed: feed.seq });
          this.say(events);
        }, 1);
      }
      flush() {
        const feed = this.server.feed;
        const events = [];
        for (const one of this.subscriptions.values()) {
          for (const instrument of one.instruments) events.push(...feed.changes(one.channel, instrument, one.flushed, feed.seq));
          one.flushed = feed.seq;
        }
        if (events.length > 0) this.say(events);
      }
      drop(code, reason) {
        clearInterval(this.timer);
        this.readyState = 3;
        this.server.sockets = this.server.sockets.filter((socket) => socket !== this);
        this.onclose?.({ code, reason });
      }
      close(code, reason) {
        clearInterval(this.timer);
        this.server.endedWith.push(reason);
        this.readyState = 2;
        this.server.sockets = this.server.sockets.filter((socket) => socket !== this);
      }
    };

  /** Two servers, a page, and a feed that runs; ended by the body's end. */
  async function world(parts, body) {
    const feed = new Feed();
    for (let i = 0; i < 10; i += 1) feed.step();
    const servers = ["ws://near", "ws://far"].map((url) => new MadeUpServer(url, feed));
    const page = new Page(feed);
    const stream = new KabutoStream(servers.map((server) => server.url), {
      WebSocket: madeUp(servers), heartbeat: 50, wellForMs: 200, random,
      look: async (origin) => { const server = servers.find((one) => restOrigin(one.url) === origin); return server.isUp && !server.isFrozen && server.isReady; },
      ...parts,
    });
    const states = [];
    stream.addEventListener("frame", (event) => page.take(event.detail));
    stream.addEventListener("state", (event) => states.push(event.detail));
    for (const channel of ["quotes", "trades"]) stream.subscribe({ channel, instruments: ["A", "B"], interval: 0 });
    const timer = setInterval(() => {
      feed.step();
      for (const server of servers) server.flush();
    }, 10);
    stream.connect();
    const current = () => ["A", "B"].every((one) => (page.views.get(`quotes/${one}`)?.seq ?? 0) >= feed.lastChange(one, feed.seq - 3));
    try {
      await until(current, "first values");
      await body({ feed, servers, page, stream, states, current });
      await until(current, "values at the end");
      clearInterval(timer);
      for (const server of servers) server.flush();
      await sleep(5);
      same(page.faults.slice(0, 3), [], "faults");
      for (const one of ["A", "B"]) same(page.lostTrades(one, feed.seq), [], `trades of ${one}`);
    } finally {
      clearInterval(timer);
      stream.close();
      for (const server of servers) for (const socket of server.sockets.slice()) clearInterval(socket.timer);
    }
  }

  const used = (stream) => stream.status.endpoints.filter((one) => one.use === "used").map((one) => one.url);

  const liveTests = {
    async aKilledServerIsLeftAtOnce() {
      await world({}, async ({ servers, stream }) => {
        await sleep(1600); // A position that is safe.
        same(stream.status.isNearest, true, "the near one");
        servers[0].kill();
        await until(() => used(stream)[0] === servers[1].url, "the far one");
        await sleep(100);
        if (servers[1].resumed.length === 0) throw new Error("nothing was resumed");
      });
    },

    async aFrozenServerIsLeftByItsMissedBeats() {
      await world({}, async ({ servers, stream }) => {
        servers[0].freeze();
        await until(() => used(stream)[0] === servers[1].url, "the far one");
        same(stream.status.isNearest, false, "and it is not the nearest");
      });
    },

    async aMergedPairLosesNothingWithEither() {
      for (const lost of [0, 1]) {
        await world({ merge: true }, async ({ servers, stream, states, page, feed }) => {
          await until(() => stream.status.merged, "both");
          await sleep(200);
          const before = states.length;
          servers[lost].kill();
          const seen = page.views.get("quotes/A").seq;
          await until(() => page.views.get("quotes/A").seq > seen && feed.seq > seen, "the next value");
          if (states.slice(before).some((one) => one.state !== "live")) throw new Error("the page noticed");
          same(stream.status.merged, false, "one is left");
          servers[lost].isUp = true;
          await until(() => stream.status.merged, "both again");
        });
      }
    },

    async aFrozenHalfOfAPairIsReplacedUnnoticed() {
      await world({ merge: true }, async ({ servers, stream, states }) => {
        await until(() => stream.status.merged, "both");
        servers[0].freeze();
        await until(() => !stream.status.merged, "its loss");
        if (states.some((one) => one.state === "waiting")) throw new Error("the page noticed");
      });
    },

    async aWarmConnectionTakesOver() {
      await world({ standby: true }, async ({ servers, stream, states }) => {
        await until(() => stream.status.endpoints.some((one) => one.use === "standby"), "the reserve");
        const before = states.length;
        servers[0].kill();
        await until(() => used(stream)[0] === servers[1].url, "the reserve in use");
        same(servers[1].opened, 1, "no new connection");
        if (states.slice(before).some((one) => one.state !== "live")) throw new Error("the page noticed");
      });
    },

    async moveChangesOverBeforeTheEnd() {
      await world({}, async ({ servers, stream, states }) => {
        const before = states.length;
        servers[0].move([{ url: "http://far", stream: "ws://far/v1/stream", node: "gw-far" }], 200);
        await until(() => servers[0].sockets.length === 0, "the old one to be let go");
        same(used(stream), [servers[1].url], "the other one");
        same(stream.status.node, "gw-far", "learned");
        same(servers[0].endedWith, ["moved"], "closed from here");
        if (states.slice(before).some((one) => one.state !== "live")) throw new Error("the page noticed");
      });
    },

    async aPairMovesToo() {
      await world({ merge: true }, async ({ servers, stream, states }) => {
        await until(() => stream.status.merged, "both");
        servers[1].move([], 200);
        await until(() => servers[1].sockets.length === 0, "the leaving one to be let go");
        same(used(stream), [servers[0].url], "the other half");
        if (states.some((one) => one.state === "waiting")) throw new Error("the page noticed");
        servers[1].isReady = true;
        await until(() => stream.status.merged, "both again");
      });
    },

    async bothOfAPairMoveAtOnce() {
      await world({ merge: true }, async ({ servers, stream }) => {
        await until(() => stream.status.merged, "both");
        const [near, far] = servers.map((server) => stream.connections.find((one) => one.url === server.url));
        servers[0].move([], 400);
        servers[1].move([], 400);
        same(stream.moveTimers.size, 2, "a time for each");
        await until(() => near.isLeaving && far.isLeaving, "both to be leaving");
        for (const server of servers) server.isReady = true;
        await until(() => servers.every((server) => server.opened >= 2) && stream.status.merged, "both anew");
      });
    },

    async aBadAddressInAMoveCostsNoEvent() {
      await world({}, async ({ servers, stream }) => {
        let handed = 0;
        stream.addEventListener("frame", (event) => (handed += event.detail.filter((one) => one.type === "pong").length));
        for (const endpoints of [[{ url: "no address" }], [null, {}, { stream: "ftp://far/" }], "nonsense"]) {
          servers[0].sockets[0].say([{ type: "move", in_ms: 100, reason: "test", endpoints }, { type: "pong", id: "x" }]);
        }
        same(handed, 3, "events beside the bad address");
        await until(() => used(stream)[0] === servers[1].url, "the other one");
      });
    },

    async theNearOneIsGoneBackToWithoutAGap() {
      await world({}, async ({ servers, stream, states }) => {
        servers[0].kill();
        await until(() => used(stream)[0] === servers[1].url, "the far one");
        const before = states.length;
        servers[0].isUp = true;
        await until(() => used(stream)[0] === servers[0].url && used(stream).length === 1, "the near one");
        same(servers[1].endedWith, ["moved"], "the far one was let go");
        if (states.slice(before).some((one) => one.state !== "live")) throw new Error("the page noticed");
      });
    },

    async withoutAnyServerThePageIsToldAndItGoesOnByItself() {
      await world({}, async ({ servers, stream }) => {
        for (const server of servers) server.kill();
        await until(() => stream.status.state === "waiting", "the wait");
        if (!(stream.status.retryAt > 0)) throw new Error("no time of the next try");
        servers[1].isUp = true;
        await until(() => stream.status.state === "live", "the far one");
      });
    },

    async pausedGoesOnFromWhereItWas() {
      await world({}, async ({ stream, servers, feed }) => {
        await sleep(1600);
        stream.pause();
        same(stream.status.state, "paused", "paused");
        await sleep(50);
        const before = feed.seq;
        stream.connect();
        await until(() => servers[0].resumed.length >= 2, "both resumed");
        if (!(servers[0].resumed[0][0].seq < before)) throw new Error("a position");
      });
    },

    async aServerThatKeepsNoPeriodIsNotLeftForIt() {
      await world({}, async ({ stream, servers }) => {
        const [socket] = servers[0].sockets;
        clearInterval(socket.timer);
        stream.connections[0].beatMs = 0; // As one that never said so.
        await sleep(400);
        same(used(stream), [servers[0].url], "still");
      });
    },
  };

  const results = [];
  for (const [name, test] of Object.entries({ ...tests, ...liveTests })) {
    try {
      await test();
      results.push({ name, error: null });
    } catch (error) {
      results.push({ name, error: `${error?.message ?? error}` });
    }
  }
  return results;
}

if (typeof process === "object" && process.argv?.[1]?.endsWith("stream_cases.js")) {
  const folder = `${process.cwd()}/Sources/Gateway/Viewer/js`;
  globalThis.CustomEvent ??= class extends Event {
    constructor(type, { detail }) {
      super(type);
      this.detail = detail;
    }
  };
  globalThis.WebSocket ??= class {};
  const seed = parseInt(process.env.KABUTO_SEED ?? "", 16) || Math.floor(Math.random() * 2 ** 32);
  console.log(`KABUTO_SEED=${seed.toString(16)}`);
  Promise.all(["endpoints", "merge", "stream"].map((name) => import(`${folder}/kabuto-${name}.js`)))
    .then(([endpoints, merge, stream]) => cases({ ...endpoints, ...merge, ...stream }, seed))
    .then((results) => {
      for (const { name, error } of results) console.log(error ? `✘ ${name}: ${error}` : `✔ ${name}`);
      process.exit(results.some((one) => one.error) ? 1 : 0);
    });
}
