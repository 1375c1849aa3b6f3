// What curl 7.88.1 sent for these command lines, byte for byte; its address is written `H` and its drawn boundary as ours.

enum CurlCases {
  static let all: [(line: String, sent: [String])] = [
    (
      ##"curl http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl http://H/y --url http://H/x"##,
      [
        ##"GET /y HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##,
        ##"GET /x HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##,
      ]
    ),
    (
      ##"curl "http://H/?q=1'%20OR""##,
      [
        ##"GET /?q=1'%20OR HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl 'http://H/?q=%27#frag'"##,
      [
        ##"GET /?q=%27 HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl H"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl http://H?x=1"##,
      [
        ##"GET /?x=1 HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl http://H/a/../b/./c/.."##,
      [
        ##"GET /b/ HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl --path-as-is 'http://H/../../etc/passwd'"##,
      [
        ##"GET /../../etc/passwd HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -g 'http://H/?a[0]={x}'"##,
      [
        ##"GET /?a[0]={x} HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl 'http://H/?a\[0\]=1'"##,
      [
        ##"GET /?a[0]=1 HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -X PUT http://H/ -d 'a=1' -d b=2"##,
      [
        ##"PUT / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Length: 7\##r\##nContent-Type: application/x-www-form-urlencoded\##r\##n\##r\##na=1&b=2"##
      ]
    ),
    (
      ##"curl http://H/ --data-urlencode 'q=a b&c/é~' --data-urlencode '=x y' --data-urlencode 'plain !'"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Length: 33\##r\##nContent-Type: application/x-www-form-urlencoded\##r\##n\##r\##nq=a+b%26c%2F%C3%A9~&x+y&plain+%21"##
      ]
    ),
    (
      ##"curl -G http://H/p?z=0 -d a=1 --data-urlencode 'b= <x>'"##,
      [
        ##"GET /p?z=0&a=1&b=+%3cx%3e HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl --json '{"a":1}' --json '2' http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nContent-Type: application/json\##r\##nAccept: application/json\##r\##nContent-Length: 8\##r\##n\##r\##n{"a":1}2"##
      ]
    ),
    (
      ##"curl -H 'Content-Type: application/json' --data-raw '@{"a":"\u0041"}' http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Type: application/json\##r\##nContent-Length: 15\##r\##n\##r\##n@{"a":"\u0041"}"##
      ]
    ),
    (
      ##"curl -I http://H/"##,
      [
        ##"HEAD / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -A 'Mozilla/5.0 (X)' -e 'http://r/;auto' -b 'a=1; b=2' -b c=3 http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: Mozilla/5.0 (X)\##r\##nAccept: */*\##r\##nReferer: http://r/\##r\##nCookie: a=1; b=2;c=3\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -u user:pass http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nAuthorization: Basic dXNlcjpwYXNz\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -u user:pass -H 'Authorization: Bearer x' http://us%65r:p@H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nAuthorization: Bearer x\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl http://me:secret@H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nAuthorization: Basic bWU6c2VjcmV0\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl --oauth2-bearer tok http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nAuthorization: Bearer tok\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -H 'Host: www.example.com' -H 'Accept:' -H 'X-Empty;' -H 'user-agent: me' http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: www.example.com\##r\##nX-Empty:\##r\##nuser-agent: me\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl --compressed -H 'accept-encoding: gzip' http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##naccept-encoding: gzip\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl --compressed -sSkL http://H/ -o /dev/null --max-time 5"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nAccept-Encoding: deflate, gzip, br, zstd\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -0 http://H/"##,
      [
        ##"GET / HTTP/1.0\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -r 0-9 http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nRange: bytes=0-9\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -F 'a=1' -F 'b="x;y";type=text/plain' -F 'f=hello;filename="e\"vil.php";type=image/png' --form-string 'l=@x;y' http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Length: 494\##r\##nContent-Type: multipart/form-data; boundary=------------------------6b616275746f0000\##r\##n\##r\##n--------------------------6b616275746f0000\##r\##nContent-Disposition: form-data; name="a"\##r\##n\##r\##n1\##r\##n--------------------------6b616275746f0000\##r\##nContent-Disposition: form-data; name="b"\##r\##nContent-Type: text/plain\##r\##n\##r\##nx;y\##r\##n--------------------------6b616275746f0000\##r\##nContent-Disposition: form-data; name="f"; filename="e%22vil.php"\##r\##nContent-Type: image/png\##r\##n\##r\##nhello\##r\##n--------------------------6b616275746f0000\##r\##nContent-Disposition: form-data; name="l"\##r\##n\##r\##n@x;y\##r\##n--------------------------6b616275746f0000--\##r\##n"##
      ]
    ),
    (
      ##"curl -H 'Content-Type: multipart/form-data' -F a=1 http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Length: 137\##r\##nContent-Type: multipart/form-data; boundary=------------------------6b616275746f0000\##r\##n\##r\##n--------------------------6b616275746f0000\##r\##nContent-Disposition: form-data; name="a"\##r\##n\##r\##n1\##r\##n--------------------------6b616275746f0000--\##r\##n"##
      ]
    ),
    (
      ##"curl --request-target '*' -X OPTIONS http://H/"##,
      [
        ##"OPTIONS * HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl $'http://H/\x3fa=\u00e9' --data-raw $'a\tb\'c\\\n'"##,
      [
        ##"POST /?a=é HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Length: 7\##r\##nContent-Type: application/x-www-form-urlencoded\##r\##n\##r\##na\##tb'c\\##n"##
      ]
    ),
    (
      ##"curl "http://H/\"x\$y" -H "X-A: a\\b""##,
      [
        ##"GET /"x$y HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nX-A: a\b\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -XDELETE '-Hfoo: bar' -d '' http://H/x"##,
      [
        ##"DELETE /x HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nfoo: bar\##r\##nContent-Length: 0\##r\##nContent-Type: application/x-www-form-urlencoded\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl -d a=1 --json '{}' http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nContent-Type: application/json\##r\##nAccept: application/json\##r\##nContent-Length: 5\##r\##n\##r\##na=1{}"##
      ]
    ),
    (
      ##"curl -H 'Cookie: a=1' -H 'Content-Length: 3' -d abc http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nCookie: a=1\##r\##nContent-Length: 3\##r\##nContent-Type: application/x-www-form-urlencoded\##r\##n\##r\##nabc"##
      ]
    ),
    (
      ##"curl -H 'Content-Type:' -d abc http://H/"##,
      [
        ##"POST / HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##nContent-Length: 3\##r\##n\##r\##nabc"##
      ]
    ),
    (
      ##"curl -A '' http://H/"##,
      [
        ##"GET / HTTP/1.1\##r\##nHost: H\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
    (
      ##"curl --url-query 'a=b c' --url-query '+raw=%20' http://H/?z"##,
      [
        ##"GET /?z&a=b+c&raw=%20 HTTP/1.1\##r\##nHost: H\##r\##nUser-Agent: curl/7.88.1\##r\##nAccept: */*\##r\##n\##r\##n"##
      ]
    ),
  ]
}
