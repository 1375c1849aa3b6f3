// JSON bodies and what libmodsecurity 3.0.9 with YAJL 2.1 (Debian 12) makes of them, as observed: one case a line.
//
// The parts of a line: the body, the arguments, the error (nothing: none). `~xx` is a byte.

enum JSONCases {
  static let observed = #"""
     |  |
    {} |  |
    [] |  |
    5 | json=5 |
    "x" | json=x |
    null | json= |
    true | json=true |
    {"a":1} | json.a=1 |
    {"a":{"b":[1,2,{"c":null}]}} | json.a.b.array_0=1 json.a.b.array_1=2 json.a.b.array_2.c= |
    [[1,[2]],{"a":true}] | json.array_0.array_0=1 json.array_0.array_1.array_0=2 json.array_1.a=true |
    {"":1} | json.empty-key=1 |
    {"":{"":[1]}} | json.empty-key.empty-key.array_0=1 |
    {"a":[]} |  |
    {"a":{}} |  |
    [{},[],1] | json.array_2=1 |
    {"a":1.50e+10,"b":-0,"c":false} | json.a=1.50e+10 json.b=-0 json.c=false |
    {"a":"\u0041\n\ud83d\ude00\u00e9"} | json.a=A~0a~f0~9f~98~80~c3~a9 |
    {"a":"\ud83d"} | json.a=? |
    {"a":"\ud83dx"} | json.a=?x |
    {"a":"\ude00"} | json.a=~ed~b8~80 |
    {"a":"\u0000b"} | json.a=~00b |
    {"a\u0041":1} | json.aA=1 |
    {"a":1,"a":2} | json.a=1 json.a=2 |
    {"a":1}x | json.a=1 | parse error: trailing garbage
    {"a":1}  | json.a=1 |
    {"a":1}~0a~0a[1] | json.a=1 | parse error: trailing garbage
    {"a":1}{ | json.a=1 | parse error: trailing garbage
    {"a":1 | json.a=1 | parse error: premature EOF
    {"a": |  | parse error: premature EOF
    {"a" |  | parse error: premature EOF
    { |  | parse error: premature EOF
    [1, | json.array_0=1 | parse error: premature EOF
    [1 | json.array_0=1 | parse error: premature EOF
    "abc |  | parse error: premature EOF
    {"a":"b |  | parse error: premature EOF
    {"a":"b~ff"} |  | lexical error: invalid bytes in UTF8 string.
    {"a":"~c3~a9"} | json.a=~c3~a9 |
    {"a":"~ed~a0~80"} | json.a=~ed~a0~80 |
    {"a":"~f5~80~80~80"} | json.a=~f5~80~80~80 |
    {"a":"~c0~80"} | json.a=~c0~80 |
    {"a":"~e0~80~80"} | json.a=~e0~80~80 |
    {"a":"~f0~80~80~80"} | json.a=~f0~80~80~80 |
    {"a":"~c3"} |  | lexical error: invalid bytes in UTF8 string.
    {"a":"x~01y"} |  | lexical error: invalid character inside string.
    {"a":"x~0ay"} |  | lexical error: invalid character inside string.
    {a:1} |  | lexical error: invalid char in json text.
    {'a':1} |  | lexical error: invalid char in json text.
    {"a":01} | json.a=0 | parse error: after key and value, inside map, I expect ',' or '}'
    {"a":1.} |  | lexical error: malformed number, a digit is required after the decimal point.
    {"a":.5} |  | lexical error: invalid char in json text.
    {"a":+1} |  | lexical error: invalid char in json text.
    {"a":-} |  | lexical error: malformed number, a digit is required after the minus sign.
    {"a":1e} |  | lexical error: malformed number, a digit is required after the exponent.
    {"a":nul} |  | lexical error: invalid string in json text.
    {"a":nulll} | json.a= | lexical error: invalid char in json text.
    {"a":truefalse} | json.a=true | parse error: after key and value, inside map, I expect ',' or '}'
    {"a":1,} | json.a=1 | parse error: invalid object key (must be a string)
    [1,] | json.array_0=1 | parse error: unallowed token at this point in JSON text
    [,1] |  | parse error: unallowed token at this point in JSON text
    {,} |  | parse error: invalid object key (must be a string)
    [1 2] | json.array_0=1 | parse error: after array element, I expect ',' or ']'
    {"a" 1} |  | parse error: object key and value must be separated by a colon (':')
    {"a"::1} |  | parse error: unallowed token at this point in JSON text
    [} |  | parse error: unallowed token at this point in JSON text
    {] |  | parse error: invalid object key (must be a string)
    {"a":"\x"} |  | lexical error: inside a string, '\' occurs before a character which it may not.
    {"a":"\u00g0"} |  | lexical error: invalid (non-hex) character occurs after '\u' inside string.
    {"a":"\u12"} |  | lexical error: invalid (non-hex) character occurs after '\u' inside string.
    {"a":"\/"} | json.a=/ |
    /* c */{"a":1} |  | lexical error: probable comment found in input text, comments are not enabled.
    {"a":/*x*/1} |  | lexical error: probable comment found in input text, comments are not enabled.
    //x~0a{"a":1} |  | lexical error: probable comment found in input text, comments are not enabled.
    ~ef~bb~bf{"a":1} |  | lexical error: invalid char in json text.
      {"a":1} | json.a=1 |
    ~0b{"a":1} | json.a=1 |
    ~0c[1] | json.array_0=1 |
    {"a":1}~00 | json.a=1 | parse error: trailing garbage
    ~00 |  | lexical error: invalid char in json text.
    nul |  | lexical error: invalid string in json text.
    tru |  | lexical error: invalid string in json text.
    5x | json=5 | parse error: trailing garbage
    5 6 | json=5 | parse error: trailing garbage
    - |  | lexical error: malformed number, a digit is required after the minus sign.
    1.5 | json=1.5 |
    [1]] | json.array_0=1 | parse error: trailing garbage
    "a" "b" | json=a | parse error: trailing garbage
    {"a":NaN} |  | lexical error: invalid char in json text.
    {"a.b":1,"c=d":2,"e&f":3} | json.a.b=1 json.c=d=2 json.e&f=3 |
    {"a":"b","c":[{"d":1},{"d":2}]} | json.a=b json.c.array_0.d=1 json.c.array_1.d=2 |
    {"a":[1,{"b":2,"":3}]} | json.a.array_0=1 json.a.array_1.b=2 json.a.array_1.empty-key=3 |
    [1,{"":2},3,{"":{}} ,4] | json.array_0=1 json.array_1.empty-key=2 json.array_2=3 json.array_4=4 |
    {"x":{"":[]},"y":[[],[],5]} | json.y.array_2=5 |
    [null] | json.array_0= |
    [0.0e-5,1E5,1e+05] | json.array_0=0.0e-5 json.array_1=1E5 json.array_2=1e+05 |
    {"a":-01} | json.a=-0 | parse error: after key and value, inside map, I expect ',' or '}'
    {"a":--1} |  | lexical error: malformed number, a digit is required after the minus sign.
    [1,2 | json.array_0=1 json.array_1=2 | parse error: premature EOF
    [1.5e |  | lexical error: malformed number, a digit is required after the exponent.
    tr |  | lexical error: invalid string in json text.
      |  | parse error: premature EOF
    ~0a |  | parse error: premature EOF
    {"a":"\ |  | lexical error: inside a string, '\' occurs before a character which it may not.
    {"a":"\u |  | lexical error: invalid (non-hex) character occurs after '\u' inside string.
    {"a":"~e2 |  | lexical error: invalid bytes in UTF8 string.
    [- |  | lexical error: malformed number, a digit is required after the minus sign.
    {"a":1  | json.a=1 | parse error: premature EOF
    {"a":"b" "c"} | json.a=b | parse error: after key and value, inside map, I expect ',' or '}'
    {"a":"\"q\"\\\b\f\n\r\t"} | json.a="q"~5c~08~0c~0a~0d~09 |
    {"a":"~7f"} | json.a=~7f |
    "~ff" |  | lexical error: invalid bytes in UTF8 string.
    {"~ff":1} |  | lexical error: invalid bytes in UTF8 string.
    {"a":"\ud800\u0041"} | json.a=~f0~90~81~81 |
    {"a":"\udc00\ud800"} | json.a=~ed~b0~80? |
    {"a":"\ud83d\ude0"} |  | lexical error: invalid (non-hex) character occurs after '\u' inside string.
    {"a":"\ud83d\n"} | json.a=?~0a |
    {"a":"\ud83d\"} |  | parse error: premature EOF
    {"a":"\uD83D\uDE00x"} | json.a=~f0~9f~98~80x |
    {"a":1}} | json.a=1 | parse error: trailing garbage
    ~ef~bb~bf |  | lexical error: invalid char in json text.
    [1,-,2] | json.array_0=1 | lexical error: malformed number, a digit is required after the minus sign.
    {"a":1}   ~09~0d~0a | json.a=1 |
    {"a":1}~0c | json.a=1 |
    {"a":1}~0b | json.a=1 |
    {"a":"\u0000"} | json.a=~00 |
    {"\u0000":1} | json.~00=1 |
    {"k":"\ud83d\ude00\ud83d\ude00"} | json.k=~f0~9f~98~80~f0~9f~98~80 |
    @ |  | lexical error: invalid char in json text.
    {"a":1;} | json.a=1 | lexical error: invalid char in json text.
    """#
}
