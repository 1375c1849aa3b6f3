// Multipart bodies and what libmodsecurity 3.0.9 (Debian 12) makes of them, as observed: one case a line.
//
// The parts of a line: what follows `multipart/form-data` in Content-Type (empty: `; boundary=0000`), the body, the
// flags that are set, the arguments and files (left out where the body is in error). `~` is CRLF, `{D}` stands for
// `Content-Disposition: form-data`, `\xx` is a byte.

enum MultipartCases {
  static let observed = #"""
     | --0000~{D}; name="a"~~1~--0000--~ | UB2 | a=1
     | --0000~{D}; name="a"~~1~--0000~{D}; name="f"; filename="x.txt"~Content-Type: text/plain~~data~more~~end~--0000--~ | UB2 | a=1 file f=x.txt
     | --0000~{D}; name="a"~~1~--0000-- |  | a=1
     | --0000-- | ERR |
     | --0000--~ |  |
     |  |  |
     | x | ERR |
     | --0000~ | ERR |
     | --0000 | ERR |
     | pre~--0000~{D}; name="a"~~1~--0000--~ | DB STRICT UB2 | a=1
     | ~--0000~{D}; name="a"~~1~--0000--~ | DB STRICT UB2 | a=1
     | --0000~{D}; name="a"~~1~--0000--~after | DA STRICT UB2 | a=1
     | --0000~{D}; name="a"~~1~--0000--~~ | DA STRICT UB2 | a=1
     | --0000~{D}; name="a"~~1~--0000--x~ | ERR STRICT UB2 |
     | --0000~{D}; name="a"~~1~--0000--\0a | CRLF_LF LF STRICT UB2 | a=1
     | --0000~{D}; name="a"~~1~ | ERR |
     | --0000\0a{D}; name="a"\0a\0a1\0a--0000--\0a | LF STRICT UB2 | a=1
     | --0000~{D}; name="a"~~1\0d2~--0000--~ | UB2 | a=1\0d2
     | --0000~{D}; name="a"~~--00001~--0000--~ | IP STRICT UB2 | a=--00001
     | --0000~{D}; name="a"~~--other~--0000--~ | UB2 | a=--other
     | --0000~{D}; name="a"~~x--0000y~--0000--~ | UB2 | a=x--0000y
     | --0000~{D}; name="a"~~--~--0000--~ | UB2 | a=--
     | --0000~{D}; name="a"~~--x~--0000--~ | UB2 | a=--x
     | --0000~{D}; name="a"~~-- 0000~--0000--~ | ERR STRICT |
     | --0000~{D}; name="a"~~--0000 ~--0000--~ | IP STRICT UB2 | a=--0000\20
     | --0000~{D}; name="a"~~x--0000~--0000~{D}; name="a"~~y~--0000--~ | UB2 | a=x--0000 a=y
     | --0000~{D}; name="f"; filename="x.txt"~Content-Type: text/plain~~x--0000~--abc~~--0000--~ | UB2 | file f=x.txt
     | --0000~{D}; name="a"~~1~--0000--~--0000--~ | DA STRICT UB2 | a=1
     | --0000~{D}; name="a"~~--\00abc~--0000--~ | UB2 | a=--\00abc
     | --0000~{D}; name="a"~~--a\00abc~--0000--~ | UB2 | a=--a\00abc
     | --0000~{D}; name="a"~~ab\00--0000c~--0000--~ | UB2 | a=ab\00--0000c
     | --0000~{D}~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D};~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; ~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name ~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name=~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name=a~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name=""~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"b~~v~--0000--~ | ERR IP IQ STRICT |
     | --0000~{D}; name="a" ;x~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a";~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"; ~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name='a'~~v~--0000--~ | IQ STRICT UB2 | a=v
     | --0000~{D}; name="a'b"~~v~--0000--~ | UB2 | a'b=v
     | --0000~{D}; name='a"b'~~v~--0000--~ | IQ STRICT UB2 | a"b=v
     | --0000~{D}; name="a"; name="b"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename="g"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; foo="f"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename*=UTF-8''f%20x~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''f%20x~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename*=utf-8'en'abc~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename*=abc~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename*="UTF-8''abc"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename=""~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; filename="f"; name="a"~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; filename="f"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D} ; name = "a"~~v~--0000--~ | UB2 | a=v
     | --0000~{D};name="a"~~v~--0000--~ | UB2 | a=v
     | --0000~{D}, name="a"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}x; name="a"~~v~--0000--~ | ERR IP STRICT |
     | --0000~Content-Disposition: Form-Data; name="a"~~v~--0000--~ | ERR IP STRICT |
     | --0000~Content-Disposition: attachment; name="a"~~v~--0000--~ | ERR IP STRICT |
     | --0000~content-disposition: form-data; name="a"~~v~--0000--~ | UB2 | a=v
     | --0000~CONTENT-DISPOSITION:form-data; name="a"~~v~--0000--~ | UB2 | a=v
     | --0000~Content-Disposition : form-data; name="a"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; NAME="a"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a\5c"b"~~v~--0000--~ | UB2 | a"b=v
     | --0000~{D}; name="a\5c\5cb"~~v~--0000--~ | UB2 | a\5cb=v
     | --0000~{D}; name="a\5cb"~~v~--0000--~ | UB2 | a\5cb=v
     | --0000~{D}; name="a\5c~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="C:\5cdir\5cf.txt"~~v~--0000--~ | UB2 | file a=C:\5cdir\5cf.txt
     | --0000~{D}; name=a;b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name=a(b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name=a b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a";; filename="b"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a" filename="b"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename = "b"~~v~--0000--~ | ERR IP STRICT |
     | --0000~Content-Type: text/plain~~v~--0000--~ | ERR IP STRICT |
     | --0000~X: y~{D}; name="a"~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~X-y~~v~--0000--~ | ERR UB2 |
     | --0000~X-y~{D}; name="a"~~v~--0000--~ | ERR UB2 |
     | --0000~: v~{D}; name="a"~~v~--0000--~ | ERR UB2 |
     | --0000~{D}; name="a"~{D}; name="a"~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~content-disposition: form-data; name="z"~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~X: 1~X: 2~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~X: 1~x: 2~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~ ; filename="q"~~v~--0000--~ | HF STRICT UB2 | file a=q
     | --0000~{D}; name="a";~ filename="q"~~v~--0000--~ | HF STRICT UB2 | file a=q
     | --0000~{D}; name="a";~\09filename="q"~~v~--0000--~ | HF STRICT UB2 | file a=q
     | --0000~{D}; name="a";~\0bfilename="q"~~v~--0000--~ | HF IHF STRICT UB2 | file a=q
     | --0000~{D}; name="a";~ \0c filename="q"~~v~--0000--~ | HF IHF STRICT UB2 | file a=q
     | --0000~ {D}; name="a"~~v~--0000--~ | ERR HF IP STRICT |
     | --0000~\09{D}; name="a"~~v~--0000--~ | ERR HF IP STRICT |
     | --0000~{D}; name="a"~X: a~ b~ c~~v~--0000--~ | HF STRICT UB2 | a=v
     | --0000~{D}; name="a"~X:\09a \09~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~X:~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~X: a\00b~~v~--0000--~ | ERR UB2 |
     | --0000~{D}; name="a"\0aX: 1~~v~--0000--~ | CRLF_LF LF STRICT UB2 | a=v
     | --0000~{D}; name="a"~X: 1\0d~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~Content-Type: image/jpeg~X-Z: q~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~ ~X: 1~~v~--0000--~ | HF IHF STRICT UB2 | a=v
     | --0000~{D}; name="a"~X y: z~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"~Content-Transfer-Encoding: base64~~v~--0000--~ | UB2 | a=v
     | --0000~{D}; name="a"; filename="f~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="f'"; filename="g'h"~~v~--0000--~ | UB2 | file f'=g'h
    ; | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary="0000" | --0000~{D}; name="a"~~1~--0000--~ | BQ STRICT UB2 | a=1
    ; boundary="0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary=0000" | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary='0000' | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
     boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | MS STRICT UB2 | a=1
    ;boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | UB2 | a=1
    ;  boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | UB2 | a=1
    ; boundary =0000 | --0000~{D}; name="a"~~1~--0000--~ | BW STRICT UB2 | a=1
    ; boundary= 0000 | --0000~{D}; name="a"~~1~--0000--~ | BW DB ERR STRICT UB1 |
    ; boundary = 0000 | --0000~{D}; name="a"~~1~--0000--~ | BW DB ERR STRICT UB1 |
    ; boundary=0000  | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary=0000; | --0000~{D}; name="a"~~1~--0000--~ | UB2 | a=1
    ; boundary=0000; charset=utf-8 | --0000~{D}; name="a"~~1~--0000--~ | UB2 | a=1
    ; charset=utf-8; boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary=0000; boundary=0001 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; Boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; BOUNDARY=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary=00,00 | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=00 00 | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=00/00 | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=00(00) | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=00@00 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary=00:00?= | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=00'00+_.- | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=boundary | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; boundary=xboundaryx= | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ;; boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    x; boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    , boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundaryx=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary=0000\01 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary==0000 | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ; xboundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary== | --0000~{D}; name="a"~~1~--0000--~ | DB ERR STRICT UB1 |
    ;\09boundary=0000 | --0000~{D}; name="a"~~1~--0000--~ | UB2 | a=1
    ; boundary=\090000 | --0000~{D}; name="a"~~1~--0000--~ | BW ERR STRICT |
    ; boundary=00[0 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary="00 00" | --0000~{D}; name="a"~~1~--0000--~ | BQ DB ERR STRICT UB1 |
    ; boundary="0000 " | --0000~{D}; name="a"~~1~--0000--~ | BQ ERR STRICT |
    ; boundary=00\5c00 | --0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
    ; boundary="0 " | --0 ~{D}; name="a"~~1~--0 --~ | BQ ERR STRICT |
    ; boundary="0000" | --"0000"~{D}; name="a"~~1~--"0000"--~ | BQ ERR STRICT |
     | --0000~~1~--0000--~ | ERR IP STRICT |
     | --0000~--0000~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"~--0000~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"~~~--0000--~ | UB2 | a=
     | --0000~{D}; name="a"~~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"~~abc--0000--~ | ERR UB1 |
     | --0000~{D}; name="a"~~abc\0a--0000--~ | CRLF_LF LF STRICT UB2 | a=abc
     | --0000~{D}; name="a"~~abc\0d~--0000--~ | UB2 | a=abc\0d
     | --0000~{D}; name="a"~~abc\0d | ERR |
     | --0000~{D}; name="a"~~--0000x--0000x~--0000--~ | IP STRICT UB2 | a=--0000x--0000x
     | --0000x~--0000~{D}; name="a"~~1~--0000--~ | ERR STRICT |
     | --abc~--0000~{D}; name="a"~~1~--0000--~ | DB STRICT UB2 | a=1
     | x--0000~--0000~{D}; name="a"~~1~--0000--~ | DB STRICT UB2 | a=1
     |  --0000~--0000~{D}; name="a"~~1~--0000--~ | DB STRICT UB2 | a=1
     | --0000~{D}; name="a"~~1~--0000 --~ | ERR STRICT UB2 |
     | --0000~{D}; name="a"~~1~--0000-~ | ERR STRICT UB2 |
     | --0000~{D}; name="a"~~1~--0000--\0d | ERR |
     | --0000~{D}; name="f"; filename="x.txt"~Content-Type: text/plain~~~--0000~{D}; name="g"; filename="x.txt"~Content-Type: text/plain~~~--0000--~ | UB2 | file f=x.txt file g=x.txt
     | --0000~{D}; name="a"~~a~--0000~{D}; name="a"~~b~--0000--~ | UB2 | a=a a=b
     | --0000~{D}; name="f"; filename="x.txt"~Content-Type: text/plain~~1~--0000~{D}; name="f"; filename="x.txt"~Content-Type: text/plain~~22~--0000--~ | UB2 | file f=x.txt file f=x.txt
     | --0000~{D}; name="a"~~1~--0000~--0000--~ | ERR IP STRICT UB2 |
     | --0000~{D}; name="a"~X: y | ERR |
     | --0000~{D}; name="a"~~abc~--00 | ERR |
     | --0000~{D}; name="a"~--x: y~~1~--0000--~ | UB2 | a=1
     | --0000~A--0000: x~{D}; name="a"~~1~--0000--~ | UB2 | a=1
     | --0000~{D}; name="a"~~1~--0000--\0a--0000-- | CRLF_LF DA LF STRICT UB2 | a=1
     | --0000\0a{D}; name="a"~~1~--0000--~ | CRLF_LF LF STRICT UB2 | a=1
     | --0000~{D}; name="a"\0a~1~--0000--~ | CRLF_LF LF STRICT UB2 | a=1
     | --0000~{D}; name="a"; filename="f"; filename*=utf-8'en'abc~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=abc~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*="UTF-8''abc"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=''abc~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8'abc~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a;b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a%2~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a%zz~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a%~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a"b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a'b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a\5cb~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a/b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF 8''ab~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8'e n'ab~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''ab ~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''ab ;~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=U@8''a~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=iso-8859-1'en'%A3%20rates~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a=b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a*b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a(b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a,b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=U*8''a~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=U.8''a~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a%41b~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a;~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a\09b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a?b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a:b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a@b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a[b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a{b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename="f"; filename*=UTF-8''a<b~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename*=UTF-8''x; filename="f"~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename*=UTF-8''x~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename*=UTF-8''x; filename*=UTF-8''y; filename="f"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename=""; filename*=UTF-8''x~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; filename*=UTF-8''x; name="a"; filename="f"~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*= UTF-8''x~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename* =UTF-8''x~~v~--0000--~ | UB2 | file a=f
     | --0000~{D}; name="a"; filename="f"; filename*=~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename ="b"~~v~--0000--~ | ERR IP STRICT |
     | --0000~{D}; name="a"; filename ="b=filename="~~v~--0000--~ | UB2 | file a=b=filename=
    """#
}
