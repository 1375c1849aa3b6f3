// The style of the report in one file: the pages' colours and hairlines (Viewer/tokens.css), and paper.

enum HTMLStyle {
  static let text = """
    :root{--page:#f3f3f0;--surface:#fff;--line:#e4e4df;--text:#17191d;--muted:#575d66;--red:#c1121f;--accent:#4c3fb0}
    @media (prefers-color-scheme:dark){:root{--page:#0c0e11;--surface:#13161a;--line:#262b32;--text:#e7e9ec;\
    --muted:#9da5af;--red:#ff7078;--accent:#a79cff}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--text);font:13px/1.5 -apple-system,"Segoe UI",Roboto,"Hiragino Sans",\
    "Noto Sans CJK JP",sans-serif;font-variant-numeric:tabular-nums}
    header{padding:12px 16px;background:var(--surface);border-bottom:1px solid var(--line);display:flex;gap:16px;\
    align-items:baseline;flex-wrap:wrap}
    h1,h2,h3,p,dl,dd{margin:0}h1,h2{font-size:15px;font-weight:600}h2{margin-bottom:8px}h3{font-size:13px}
    header p,.muted{color:var(--muted)}
    main{max-width:1080px;margin:0 auto;padding:16px;display:grid;gap:24px}main>*{min-width:0}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(110px,1fr));gap:1px;background:var(--surface);overflow:hidden;\
    border:1px solid var(--line)}
    .figures div{outline:1px solid var(--line);padding:12px 16px}.figures dt{color:var(--muted)}
    .figures dd{font-size:28px;line-height:1.2}.bad{color:var(--red);font-weight:600}
    table{border-collapse:collapse;width:100%;background:var(--surface);border:1px solid var(--line)}
    section{overflow-x:auto}
    th,td{text-align:left;padding:4px 12px;border-bottom:1px solid var(--line);vertical-align:baseline}
    th{color:var(--muted);font-weight:400}th,.time{white-space:nowrap}.number{text-align:right}
    article{background:var(--surface);border:1px solid var(--line);border-bottom:0;padding:12px 16px;break-inside:avoid}
    article:last-child{border-bottom:1px solid var(--line)}
    article dl{display:grid;grid-template-columns:120px minmax(0,1fr);gap:2px 12px;margin-top:8px}
    article dt{color:var(--muted)}article dd{overflow-wrap:anywhere;white-space:pre-wrap}
    .severity,.status{display:inline-block;border:1px solid var(--muted);padding:0 6px;border-radius:2px;font-weight:400}
    .critical,.high{border-color:var(--red);color:var(--red)}.critical{font-weight:700;border-width:2px}
    .status{border-style:dashed}
    svg{width:100%;height:120px;background:var(--surface);border:1px solid var(--line);display:block}
    svg path{fill:none;vector-effect:non-scaling-stroke}svg .base{stroke:var(--line)}
    svg .failed{stroke:var(--red);stroke-width:1.5}svg .unknown{stroke:var(--muted);stroke-width:1.5;stroke-dasharray:5 4}
    .legend{margin:4px 0 8px}.legend .failed{color:var(--red)}
    .faults li{color:var(--red)}.empty{color:var(--muted)}
    @media (max-width:600px){article dl{grid-template-columns:1fr}body{font-size:16px}}
    @media print{:root{--page:#fff;--surface:#fff;--line:#bbb;--text:#000;--muted:#444;--red:#a00;--accent:#000}\
    body{font-size:10pt}main{max-width:none;padding:0;display:block}section{margin-top:12pt;overflow:visible}\
    header{padding:0 0 6pt}}
    """
}
