// The words of the page of findings: key → [English, Japanese].

/** @type {Record<string, [string, string]>} */
export const GOVERNANCE_WORDS = {
  govTitle: ["Findings", "検出事項"], govSkip: ["Skip to the findings", "検出事項へ移動"], govKeys: ["Keys", "キー操作"],
  govLooked: ["{source}: last run {time}", "{source}: 最終実行 {time}"], govOverview: ["Overview", "概要"],
  govLost: ["No answer since {time}. What is below may be out of date; asking again every few seconds.", "{time} から応答がありません。以下は最新でない可能性があります。数秒ごとに再接続しています。"],
  govFailed: ["This can't be shown: {why}", "表示できません: {why}"], govFailedHint: ["The page asks again by itself. If it stays, the server's log says why.", "自動で再取得します。続く場合はサーバーのログを確認してください。"],
  govNone: ["No history yet", "まだ履歴がありません"], govNoneHint: ["It begins with the first run that keeps its results:", "結果を保存する最初の実行で始まります:"],
  govNoMatch: ["Nothing matches", "該当する検出事項はありません"], govNoMatchHint: ["Take a filter away to see more.", "条件を外すと表示が増えます。"],
  govNoOpen: ["Nothing is open", "未解決の検出事項はありません"], govNoOpenHint: ["Everything that was looked at is as it should be, or excepted.", "確認した範囲はすべて適合しているか、例外として認められています。"],
  govGone: ["No such finding", "この検出事項はありません"], govGoneHint: ["What is fixed is kept for a while only.", "解決済みの記録は一定期間で消去されます。"],
  govLoading: ["Loading…", "読み込み中…"],
  // Severity, status, state
  sev_critical: ["Critical", "緊急"], sev_high: ["High", "高"], sev_medium: ["Medium", "中"], sev_low: ["Low", "低"], sev_info: ["Info", "情報"],
  sev_unknown: ["Can't be told", "判定不能"], sev_excepted: ["Excepted", "例外"],
  status_FAIL: ["Failed", "違反"], status_UNKNOWN: ["Can't be told", "判定不能"], status_EXCEPTED: ["Excepted", "例外"],
  state_open: ["Open", "未解決"], state_fixed: ["Fixed", "解決済み"], state_excepted: ["Excepted", "例外"], state_all: ["All", "すべて"],
  govAnySeverity: ["Any severity", "すべての重要度"], govAnyStatus: ["Failed or not told", "違反・判定不能"], govSeverity: ["Severity", "重要度"], govState: ["State", "状態"], govStatus: ["Status", "判定"],
  // Overview
  govFigures: ["Open now", "現在の未解決件数"], govLowInfo: ["Low and info", "低・情報"], govInfoUnder: ["and {n} info", "ほかに情報 {n}"],
  govUnknownUnder: ["neither good nor bad", "適合とも違反ともいえない"], govExceptedUnder: ["with an owner and an end", "責任者と期限あり"],
  govWeek: ["last 7 days: {opened} new, {fixed} fixed", "直近7日: 新規 {opened}、解決 {fixed}"],
  govTrend: ["Open over time", "未解決の推移"], govTrendLabel: ["Open findings by severity over {days} days. Arrow keys move; the table has the same values.", "重要度別の未解決件数、{days}日間。矢印キーで移動。表でも同じ値を確認できます。"],
  govDays: ["{n} days", "{n}日"], govYear: ["1 year", "1年"], govTable: ["Table", "表"], govChart: ["Chart", "グラフ"], govTime: ["Time", "時刻"], govNow: ["now", "現在"],
  govFirst: ["One run so far: the line begins here.", "まだ1回目の実行です。ここから推移を記録します。"],
  govAccounts: ["By account and region", "アカウント・リージョン別"], govRules: ["By rule", "ルール別"], govAccount: ["Account", "アカウント"], govRegion: ["Region", "リージョン"], govRule: ["Rule", "ルール"],
  govFiles: ["Templates and plans", "テンプレート・プラン"], govGlobal: ["no region", "リージョンなし"], govRest: ["{n} more", "ほか {n} 件"],
  govEnding: ["Exceptions in force, by their end", "有効な例外(期限順)"], govEnds: ["Ends", "期限"], govOwner: ["Owner", "責任者"], govReason: ["Reason", "理由"], govDaysLeft: ["in {n} days", "あと{n}日"], govToday: ["today", "本日"], govEnded: ["has ended", "期限切れ"],
  govRuns: ["Last runs", "最新の実行"], govSource: ["What", "種別"], govInputs: ["Inputs", "対象"], govNew: ["New", "新規"], govBack: ["Back", "再発"], govFixed: ["Fixed", "解決"], govFaults: ["Not looked at", "確認できず"], govNone0: ["none", "なし"], govUnseen: ["Can't be told", "判定不能"],
  source_check: ["Check", "チェック"], source_scan: ["Scan", "スキャン"], source_watch: ["Watch", "監視"],
  // List
  govSearch: ["Search resource, title, rule, file", "リソース・題名・ルール・ファイルを検索"], govFinding: ["Finding", "検出事項"], govWhere: ["Where", "場所"], govSince: ["Since", "発生"],
  govCount: ["{n} findings", "{n} 件"], govRemove: ["Remove the filter {name}", "条件 {name} を外す"], govFirstPage: ["First", "先頭"], govNext: ["Next", "次へ"], govPage: ["{from}–{to} of {n}", "{n} 件中 {from}–{to}"],
  govSort: ["Order", "並び順"], govGravest: ["Gravest first", "重要度順"], govNewest: ["Newest first", "新しい順"],
  govListKeys: ["↑ ↓ and Enter in the list; the filters stay in the address.", "一覧は ↑ ↓ と Enter で操作。条件は URL に残ります。"],
  // Detail
  govFound: ["Found", "検出値"], govWanted: ["Wanted", "期待値"], govMend: ["How to mend", "対処方法"], govNoMend: ["The rule doesn't say how to mend it; its own words are below.", "ルールに対処方法の記載がありません。下のルールの説明を参照してください。"],
  govResource: ["Resource", "リソース"], govType: ["Type", "種類"], govPath: ["Path", "項目"], govInput: ["Input", "対象"], govLine: ["line {line}, column {column}", "{line}行 {column}列"],
  govControls: ["Controls", "基準"], govMessage: ["Rule's own words", "ルールの説明"], govFirstSeen: ["First seen", "初回検出"], govLastSeen: ["Last seen", "最終検出"], govTimes: ["Seen", "検出回数"], govTimesN: ["{n}×", "{n}回"],
  govAlso: ["Also at this place", "同じ箇所の他の条件"], govException: ["Exception", "例外"], govExceptionUnknown: ["Its end isn't known here.", "期限はこの履歴にありません。"],
  govUntold: ["The latest look couldn't tell whether it is still there: a call failed, something it depends on is unknown, or the rule wasn't among those of that look. It counts as neither good nor bad.", "最新の確認では、まだ残っているか判定できませんでした(呼び出しの失敗、不明な値への依存、またはその確認の対象外のルール)。適合とも違反ともみなしません。"],
  govHistory: ["What happened", "経過"], govWas: ["found {value}", "検出値 {value}"], govUnder: ["exception {name}", "例外 {name}"],
  event_opened: ["New", "新規検出"], event_again: ["Seen again", "再確認"], event_changed: ["Changed", "内容変更"], event_fixed: ["Fixed", "解決"], event_reopened: ["Back again", "再発"],
  event_excepted: ["Excepted", "例外適用"], event_ended: ["Exception ended", "例外終了"], event_unseen: ["Couldn't be told", "判定できず"],
  // Keys
  govKey_search: ["Search", "検索"], govKey_move: ["Move in a list", "一覧を移動"], govKey_open: ["Open", "開く"], govKey_back: ["Back", "戻る"], govKey_theme: ["Light or dark", "ライト/ダーク"], govKey_help: ["These keys", "このキー一覧"],
  govSaidOpen: ["{n} open, {unknown} can't be told", "未解決 {n} 件、うち判定不能 {unknown} 件"],
};
