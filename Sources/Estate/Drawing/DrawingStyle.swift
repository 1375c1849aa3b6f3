// How the drawing and its page look, on light and dark paper. No font, picture or script is loaded from anywhere.

enum DrawingStyle {
  static let svg = """
    svg{--paper:#fff;--ink:#1c2330;--soft:#5b6677;--site:#f3f5f9;--zone:#fff;--edge:#8a95a6;--node:#e8f0fe;--lost:#c0392b;\
    --c0:#0b62c4;--c1:#b45309;--c2:#157347;--c3:#7b2fbf;--c4:#0e7490;--c5:#9d174d}
    @media(prefers-color-scheme:dark){svg{--paper:#12161d;--ink:#e6eaf1;--soft:#a3adbc;--site:#1a202a;--zone:#12161d;\
    --edge:#6d7888;--node:#1d2b44;--lost:#ff7b6b;--c0:#6db3ff;--c1:#ffb366;--c2:#6fd39a;--c3:#cfa0ff;--c4:#67d6ea;--c5:#ff8fbf}}
    .paper{fill:var(--paper)}text{fill:var(--ink);font:12px system-ui,"Noto Sans CJK JP",sans-serif}
    .site{fill:var(--site);stroke:var(--edge);stroke-width:1.5}.zone{fill:var(--zone);stroke:var(--edge);stroke-dasharray:2 3}
    .site-name{font-size:15px;font-weight:700}.zone-name{font-weight:600}
    .node{fill:var(--node);stroke:var(--edge)}.server{fill:var(--zone);stroke-width:2.5}
    .rail0{stroke:var(--c0)}.rail1{stroke:var(--c1);stroke-dasharray:7 3}.rail2{stroke:var(--c2);stroke-dasharray:2 2}\
    .rail3{stroke:var(--c3);stroke-dasharray:9 3 2 3}
    .item-name,.item-text,.link-name,.link-text{text-anchor:middle}.item-name,.link-name{font-weight:600}
    .item-text,.link-text{font-size:11px;fill:var(--soft)}
    .link{fill:none;stroke:var(--ink);stroke-width:2.5}.carrier0{stroke:var(--c0);stroke-dasharray:12 4}\
    .carrier1{stroke:var(--c1);stroke-dasharray:3 3}.carrier2{stroke:var(--c2);stroke-dasharray:12 4 3 4}\
    .carrier3{stroke:var(--c3);stroke-dasharray:7 7}.carrier4{stroke:var(--c4);stroke-dasharray:16 3}\
    .carrier5{stroke:var(--c5);stroke-dasharray:3 8}
    .end{fill:var(--ink);stroke-dasharray:none}.standby{stroke-width:1.2}.end.standby{fill:var(--paper)}
    .label{fill:var(--paper)}
    .cross{stroke:var(--lost);stroke-width:2;fill:none}.lost{stroke:var(--lost)}
    text.lost{stroke:none;fill:var(--lost);text-decoration:line-through}
    """

  static let page = """
    :root{color-scheme:light dark;--paper:#fff;--ink:#1c2330;--soft:#5b6677;--edge:#c6ccd6}
    @media(prefers-color-scheme:dark){:root{--paper:#12161d;--ink:#e6eaf1;--soft:#a3adbc;--edge:#3a4352}}
    body{margin:0;padding:1rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Noto Sans CJK JP",sans-serif}
    h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.4rem 0 .4rem}
    .drawing{overflow:auto}table{border-collapse:collapse}th,td{border:1px solid var(--edge);padding:.25rem .6rem;\
    text-align:left;vertical-align:top}th{font-weight:600}p.soft,caption{color:var(--soft);text-align:left}
    label{margin-right:1rem;cursor:pointer}input:focus-visible+label{outline:2px solid currentColor}
    #en:checked~main [lang=ja],#ja:checked~main [lang=en]{display:none}
    """
}
