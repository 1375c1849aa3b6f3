// Every word of the page in both languages: key → [English, Japanese].
// Elements carry `data-t` (text), `data-t-label` (aria-label), `data-t-title`, `data-t-hint` (placeholder).

/** @type {Record<string, [string, string]>} */
const WORDS = {
  title: ["Kabuto market viewer", "Kabuto マーケットビューア"],
  skip: ["Skip to the instrument", "銘柄表示へ移動"],
  simulated: ["SIMULATED MARKET — prices are generated, not real", "模擬市場 — 実際の株価ではありません"],
  simulatedShort: ["SIMULATED", "模擬市場"],
  // List
  market: ["Market", "銘柄一覧"], search: ["Search code or name", "コード・銘柄名で検索"], clear: ["Clear search", "検索を消去"],
  views: ["Lists", "一覧の種類"], all: ["All", "全銘柄"], watch: ["Watch", "お気に入り"], gainers: ["Gainers", "値上り"],
  losers: ["Losers", "値下り"], byVolume: ["Volume", "出来高"], byTurnover: ["Turnover", "売買代金"],
  code: ["Code", "コード"], name: ["Name", "銘柄"], trend: ["Trend", "推移"], last: ["Last", "現在値"],
  change: ["Change", "前日比"], changePercent: ["Chg %", "騰落率"], volume: ["Volume", "出来高"], turnover: ["Turnover", "売買代金"],
  instruments: ["{n} instruments", "{n} 銘柄"], instrument: ["{n} instrument", "{n} 銘柄"],
  emptyMarket: ["No instruments yet", "まだ銘柄がありません"],
  emptyMarketHint: ["They appear here as soon as the feed names them.", "フィードから届き次第、ここに表示します。"],
  emptySearch: ["Nothing matches “{q}”", "「{q}」に一致する銘柄はありません"],
  emptySearchHint: ["Try a code (7203), a Japanese or an English name.", "コード(7203)、日本語名、英語名で検索できます。"],
  emptyWatch: ["Your watchlist is empty", "お気に入りはまだありません"],
  emptyWatchHint: ["Press ☆ beside an instrument, or the key W.", "銘柄名の横の ☆ か W キーで追加できます。"],
  emptyRanking: ["None at present", "現在、該当する銘柄はありません"],
  emptyRankingHint: ["The ranking fills as prices move.", "値動きに応じて順位を表示します。"],
  // Headline
  watchAdd: ["Add to watchlist", "お気に入りに追加"], watchRemove: ["Remove from watchlist", "お気に入りから外す"],
  back: ["Back to the list", "一覧へ戻る"], lot: ["Lot", "売買単位"], lotShares: ["lot {n}", "単元 {n}株"],
  sinceOpen: ["from the open", "始値比"], noTrade: ["No trade today", "本日約定なし"], referenceOf: ["Reference {date}", "基準値段({date})"],
  at: ["at {time}", "{time}"],
  state_pre_open: ["Pre-open", "寄前"], state_auction: ["Auction", "板寄せ"], state_trading: ["Trading", "ザラバ"],
  state_break: ["Lunch break", "昼休み"], state_halted: ["Halted", "売買停止"], state_paused: ["Paused", "一時停止"],
  state_quotation: ["Quotes only", "気配のみ"], state_closed: ["Closed", "取引終了"], state_unknown: ["State unknown", "状態不明"],
  special: ["S", "特"], sequential: ["A", "注"],
  special_bid: ["Special bid quote", "特別買い気配"], special_ask: ["Special ask quote", "特別売り気配"],
  sequential_bid: ["Sequential bid quote", "連続約定気配(買)"], sequential_ask: ["Sequential ask quote", "連続約定気配(売)"],
  limitUp: ["Limit up", "ストップ高"], limitDown: ["Limit down", "ストップ安"], limitUpShort: ["LU", "S高"], limitDownShort: ["LD", "S安"],
  haltedShort: ["HALT", "停止"], preOpenShort: ["P", "前"], preCloseShort: ["C", "引"], staleShort: ["OLD", "旧"],
  shortRestricted: ["Short-sale price test", "空売り価格規制"], suspect: ["Book may be wrong", "板に疑義あり"],
  suspectWhy: ["A message for this instrument could not be applied; its book may be wrong until the next day.",
    "この銘柄の電文を一部適用できませんでした。翌営業日まで板が正しくない可能性があります。"],
  stale: ["Stale for {age}", "{age}前から更新停止"], stale_gap: ["messages of the feed are missing", "フィードに欠落があります"],
  stale_silent: ["the feed is silent", "フィードが無応答です"], stale_recovering: ["the feed is being recovered", "フィードを復旧中です"],
  stale_ended: ["the feed has ended", "フィードは終了しました"],
  // Figures
  figures: ["Key figures", "主要指標"], open: ["Open", "始値"], high: ["High", "高値"], low: ["Low", "安値"], close: ["Close", "終値"],
  previousClose: ["Prev. close", "前日終値"], vwap: ["VWAP", "VWAP"], trades: ["Trades", "約定回数"], reference: ["Reference", "基準値段"],
  priceLimits: ["Price limits", "値幅制限"], limitHigh: ["Upper limit", "値幅上限"], limitLow: ["Lower limit", "値幅下限"], bid: ["Bid", "買気配"], ask: ["Ask", "売気配"],
  // Chart
  chart: ["Chart", "チャート"], chartOf: ["{i} chart of {name}", "{name}の{i}チャート"], interval: ["Interval", "足"], range: ["Range", "期間"],
  minute1: ["1 min", "1分足"], day1: ["Daily", "日足"], r1h: ["1h", "1時間"], r1s: ["Day", "当日"], r3s: ["3 days", "3日"],
  r1m: ["1M", "1か月"], r3m: ["3M", "3か月"], r6m: ["6M", "6か月"], r1y: ["1Y", "1年"], rall: ["All", "全期間"],
  showTable: ["Table", "表"], showChart: ["Chart", "チャート"], time: ["Time", "時刻"], date: ["Date", "日付"],
  o: ["O", "始"], h: ["H", "高"], l: ["L", "安"], c: ["C", "終"], v: ["V", "出来高"],
  chartMissing: ["The chart library is not installed (run `make setup`). The table shows the same values.",
    "チャート部品が未導入です(`make setup` を実行してください)。同じ値を表で表示しています。"],
  chartEmpty: ["No bars in this range yet", "この期間の足はまだありません"],
  chartFailed: ["Bars could not be loaded: {why}. Trying again in {n} s.", "足を取得できませんでした: {why}。{n} 秒後に再試行します。"],
  barTable: ["Bars, newest first", "四本値(新しい順)"],
  // Board and tape
  board: ["Board", "板"], boardTitle: ["Order book", "板(気配)"], askSize: ["Ask size", "売数量"], bidSize: ["Bid size", "買数量"], price: ["Price", "値段"],
  orders: ["Ord.", "件数"], over: ["OVER", "OVER"], under: ["UNDER", "UNDER"], spread: ["Spread", "スプレッド"], lastSize: ["Last size", "直近数量"],
  foldedHint: ["Orders at {price} or better, which the auction would match first", "{price} および より優先する注文の合計(板寄せで先に対当)"],
  boardEmpty: ["No orders on either side", "売買とも注文がありません"], boardLoading: ["Loading the board…", "板を読み込んでいます…"],
  boardHint: ["Choose a row for its size and orders", "行を選ぶと数量と件数の内訳を表示します"],
  levelAsk: ["Ask {price}", "売 {price}"], levelBid: ["Bid {price}", "買 {price}"],
  levelOrders: ["{n} orders", "{n} 件"], levelSize: ["{n} shares", "{n} 株"], perOrder: ["{n} per order", "1件平均 {n} 株"],
  cumulative: ["{n} up to here", "ここまで累計 {n} 株"], fromLast: ["{n} from last", "現在値から {n}"], closeDetail: ["Close detail", "内訳を閉じる"],
  auction_open: ["Opening indication", "寄前気配"], auction_close: ["Closing indication", "引け前気配"], auction_halt: ["Reopening indication", "再開前気配"],
  auction_ipo: ["IPO indication", "初値気配"], auction_extended: ["Extended auction indication", "延長中の気配"], paired: ["paired", "対当"], imbalance: ["imbalance", "差引"],
  side_buy: ["buy", "買"], side_sell: ["sell", "売"], side_none: ["none", "なし"], side_insufficient: ["too few orders", "注文不足"],
  tape: ["Tape", "歩み値"], tapeTitle: ["Time and sales", "歩み値"], size: ["Size", "数量"], kind: ["Type", "種別"],
  tapeEmpty: ["No trade today", "本日の約定はありません"], tapeDropped: ["{n} trades skipped to keep up", "表示が追いつかず {n} 件を省略"],
  kind_hidden: ["hidden", "隠"], kind_open: ["open", "寄"], kind_close: ["close", "引"], kind_halt_cross: ["halt", "再開"], kind_ipo_cross: ["IPO", "初値"],
  kind_intraday_cross: ["cross", "クロス"], broken: ["broken", "取消"], bought: ["taken by a buyer", "買い約定"], sold: ["taken by a seller", "売り約定"],
  // Connection
  feeds_ended: ["Connected · feed has ended", "接続中・配信終了"], feeds_stale: ["Connected · feed is silent", "接続中・配信が止まっています"],
  connection: ["Connection", "接続"], live: ["Live", "接続中"], connecting: ["Connecting…", "接続しています…"], waiting: ["Reconnecting in {n} s", "{n} 秒後に再接続"],
  paused: ["Paused while hidden", "非表示のため一時停止"], closed: ["Disconnected", "切断"],
  server_used: ["in use", "使用中"], server_standby: ["in reserve", "予備"], server_opening: ["connecting", "接続中"], server_leaving: ["being left", "切り替え中"],
  lostSince: ["Connection lost since {time}. Prices below are not current.", "{time} から接続が切れています。下の株価は最新ではありません。"],
  retrying: ["Trying again in {n} s", "{n} 秒後に再接続します"], retryingNow: ["Trying again now…", "再接続しています…"], retryNow: ["Retry now", "今すぐ再接続"],
  loadFailed: ["The market could not be loaded ({why}).", "銘柄を取得できませんでした({why})。"],
  fault: ["The server refused: {why}", "サーバーが拒否しました: {why}"],
  updates: ["{n}/s", "{n} 件/秒"], updatesTitle: ["Updates received per second", "毎秒の更新件数"],
  advancing: ["Advancing", "値上り"], declining: ["Declining", "値下り"], unchanged: ["Unchanged", "変わらず"], marketTurnover: ["Market turnover", "売買代金合計"],
  // Settings
  settings: ["Settings", "設定"], language: ["Language", "言語"], theme: ["Theme", "配色"], system: ["System", "システム"], light: ["Light", "ライト"], dark: ["Dark", "ダーク"],
  colours: ["Up and down", "騰落の色"], auto: ["By language", "言語に合わせる"], japan: ["Japan: up red", "日本式: 上げ赤"], international: ["International: up green", "海外式: 上げ緑"],
  downColour: ["Down in the Japanese scheme", "日本式の下げ色"], blue: ["Blue", "青"], green: ["Green", "緑"], resetPanes: ["Reset pane sizes", "枠の大きさを戻す"], done: ["Done", "閉じる"],
  switchLanguage: ["日本語", "English"], switchLanguageLabel: ["日本語に切り替え", "Switch to English"], switchTheme: ["Light or dark", "ライト/ダークの切り替え"],
  keys: ["Keys", "キー操作"], key_search: ["Search", "検索"], key_move: ["Move in a list", "一覧を上下に移動"], key_open: ["Open the instrument", "銘柄を開く"], key_back: ["Back, clear, close", "戻る・消去・閉じる"],
  key_watch: ["Add to or remove from the watchlist", "お気に入りに追加・削除"], key_range: ["1 min or daily bars", "1分足と日足の切り替え"], key_next: ["Next and previous instrument", "次の銘柄・前の銘柄"], key_help: ["These keys", "このキー一覧"],
  key_tabs: ["Lists: all, watch, gainers…", "一覧の切り替え(全銘柄、お気に入り…)"], key_theme: ["Light or dark", "ライト/ダーク"],
  about: ["About", "このページについて"], aboutText: ["Prices come from the stream of this server; times are the exchange's.", "株価はこのサーバーのストリームから届きます。時刻は取引所の時刻です。"],
  aboutCharts: ["Charts: TradingView Lightweight Charts™, © 2024 TradingView, Inc., Apache License 2.0.", "チャート: TradingView Lightweight Charts™ © 2024 TradingView, Inc. Apache License 2.0"],
  apiLink: ["API description", "API 仕様"], estateLink: ["Estate and paths", "システム構成と経路"], status: ["Status", "状況"], resize: ["Resize pane", "枠の幅を変える"], resizeRow: ["Resize board and tape", "板と歩み値の高さを変える"],
  pages: ["Views", "表示切替"], list: ["List", "一覧"],
  said: ["{name} {price}, {change}", "{name} {price}円 前日比 {change}"], saidLost: ["Connection lost", "接続が切れました"], saidLive: ["Connected again", "再接続しました"],
};

/** @typedef {"en"|"ja"} Language */
/** @type {Language} */
let language = "en";

export const currentLanguage = () => language;

/** @param {Language} wanted */
export function setLanguage(wanted) {
  language = wanted;
}

/** Words of another page. @param {Record<string, [string, string]>} words */
export function addWords(words) {
  Object.assign(WORDS, words);
}

/** @param {string} key @param {Record<string, string|number>} [values] @returns {string} */
export function t(key, values) {
  const words = WORDS[key];
  if (!words) return key;
  const text = words[language === "ja" ? 1 : 0];
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? "")) : text;
}

const MARKS = /** @type {const} */ ([
  ["t", "textContent"], ["tLabel", "aria-label"], ["tTitle", "title"], ["tHint", "placeholder"],
]);

/** Puts the words of the current language into marked elements. @param {ParentNode} root */
export function translate(root) {
  for (const [mark, target] of MARKS) {
    const attribute = `data-${mark.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    for (const element of root.querySelectorAll(`[${attribute}]`)) {
      const text = t(element.getAttribute(attribute) ?? "");
      if (target === "textContent") element.textContent = text;
      else element.setAttribute(target, text);
    }
  }
}
