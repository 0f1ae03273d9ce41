package capture_test

import "strings"

// oracleRows are curl commands. After ### are headers whose values are not in the command.
var oracleRows = strings.Split(strings.TrimSpace(`
curl -s U/
curl -s --data-urlencode 'a=b c' --data-urlencode x --data-urlencode name@x=1 --data-urlencode =z --data-urlencode 'a b' U/
curl -s --data-urlencode n@file --data-urlencode @file U/
curl -s --data-urlencode 'a@empty' --data-urlencode a= U/
curl -s --data-urlencode 'ä=é/~"(*)!' U/
curl -s -d a -d '' -d b U/
curl -s -d '' U/
curl -s --json a -d b --json c U/
curl -s --json '{}' -H 'Content-Type: x' -H 'Accept;' U/
curl -s -G --json '{}' -g U/
curl -s -d @file --data-binary @file --json @file U/
curl -s --data-raw @file U/
curl -s --data-ascii @file U/
curl -s -u a:b U/
curl -s -u a:b -H 'Authorization: X' U/
curl -s -u a:b -H 'Authorization:' U/
curl -s -u a:b -H 'Authorization;' U/
curl -s -u a:b --oauth2-bearer tok U/
curl -s -u 'a:é:c' -u : U/
curl -s --oauth2-bearer tok -H 'authorization: X' U/
curl -s -A '' U/
curl -s -A x -H 'User-Agent: y' U/
curl -s -A x -H 'User-Agent:' U/
curl -s -A a -A b -e x -e y -X P -X Q U/
curl -s -e 'r;auto' U/
curl -s -e '' -e r -H 'Referer: s' U/
curl -s -b 'a=b' -b 'c=d' U/
curl -s -b 'a=b' -H 'Cookie: z=1' U/
curl -s -b '' U/
curl -s -H @headers -H 'X-B: 2' U/
curl -s -H 'X: a' -H 'X: b' -H 'X;' -H 'Y:' -H 'Z;foo' -H 'nocolon' -H '' -H 'W: 1;' U/
curl -s -H 'X; ' -H ': x' -H 'V:   ' U/
curl -s -H 'Accept:' -H 'Accept: z' U/
curl -s -H 'aCCept;foo' U/
curl -s -H 'Host: a' -H 'Host: b' U/
curl -s -H 'Host;' U/
curl -s -H 'Content-Length: 5' -d abcde U/
curl -s -H 'Content-Length: 4' -d abcde U/
curl -s -H 'Content-Length: 0' -X POST U/
curl -s -H 'Transfer-Encoding: chunked' -d abcde U/
curl -s -H 'Transfer-Encoding:' -d abcde U/
curl -s -H 'Content-Type;' -d abcde U/
curl -s -H 'Content-Type:' -d abcde U/
curl -s -H 'X:   a  ' -H 'X:	b' U/
curl -s -H 'Connection: close' U/
curl -s -H "A: b" -XPOST -H"C:d" U/
curl -s -G -d a -d b 'U/x?y#frag'
curl -s -G -d a 'U/x?'
curl -s -G -d '' 'U/x?'
curl -s -G -d '' U/
curl -s -G -d '' 'U/?a'
curl -s -G -d a 'U/x?b&'
curl -s -G -d 'a=%2F%C3{b}[c];"|' 'U/?%2F'
curl -s -G --data-urlencode 'b=é/~ "' 'U/?x=%2F'
curl -s -G -I -d a U/
curl -s -G -d a -X PUT U/
curl -s --get -d a --no-get U/
curl -s --url-query 'a=b c' --url-query +raw --url-query 'x@file' 'U/x?q'
curl -s --url-query a= --url-query =b=c --url-query '' 'U/x?'
curl -s -d body --url-query a 'U/x'
curl -s -I U/ -o empty2
curl -s -I -d a U/
curl -s -I -X GET -m 1 U/
curl -s -X GET -d a U/
curl -s -X POST U/
curl -s -X DELETE --data-binary '' U/
curl -s -T file U/ ### Expect
curl -s -T file U/d/ ### Expect
curl -s -T file 'U/?q' ### Expect
curl -s -T file 'U/x?y/' -X POST ### Expect
curl -s -T file -G U/d/ ### Expect
curl -s -T file -d x U/x
curl -s -T file -H 'Transfer-Encoding: chunked' U/x ### Expect
curl -s -r 0-10 U/
curl -s -r 5 U/
curl -s -r 0-10 -H 'Range: x' U/
curl -s -r 0-10 -d x U/
curl -s --compressed U/ ### Accept-Encoding
curl -s --compressed --no-compressed U/
curl -s --compressed -H 'Accept-Encoding: x' U/
curl -s --tr-encoding U/ ### Te Connection
curl -s --http2 U/ ### Connection Upgrade Http2-Settings
curl -s -0 -d x U/
curl -s --request-target '/a?b' U/
curl -s --request-target '/other' -X OPTIONS U/
curl -s 'U/a b'
curl -s 'U/a/%2e%2e/b/./c/../d?x/../y'
curl -s 'U/a/../../b/..'
curl -s U/.
curl -s 'U//a/./b//../c/..'
curl -s 'U/..a/.../b..'
curl -s --path-as-is 'U/a/../../b/./..'
curl -s --path-as-is -G -d a U/a/../b
curl -s --path-as-is --url-query a U/a/../b/..
curl -s --path-as-is -T file U/a/../b/ ### Expect
curl -s --path-as-is -T file U/a/b/.. ### Expect
curl -s --path-as-is -T file U/a/../b ### Expect
curl -s -T file 'U/a/b/..?x' ### Expect
curl -s 'U/x?'
curl -s 'U/x#a?b'
curl -s 'U/a%zz%2Fb%c3;=1|"<>^\c'
curl -s 'U/{a}/[]'
curl -s 'U/\{a\}\[b\]\x'
curl -s -g 'U/{a}[b]\{'
curl -s 'U/{a'
curl -s 'U/a}'
curl -s 'U/{a,b}'
curl -s 'U/[1-3]'
curl -s 'U/[::1]'
curl -s U/ U/x
curl -s U/ --next U/x
curl -s --url U/
curl -s -- U/
curl -s - U/
curl -s -sSfLX POST U/
curl -s -=x U/
curl -s --foo U/
curl -s --hea U/
curl -s --heade 'X: 1' U/
curl -s --head= U/
curl -s --no-data a U/
curl -s --no-http1.0 U/
curl -s --no-buffer --no-alpn -N --keepalive U/
curl -s -4 -k -L -# --retry 1 -w '%{http_code}' -o /dev/null --max-time 5 U/
curl -s -d
curl -s -X '' U/
curl -s -F a=b -d x U/
curl -s -d @- U/ <<< '{"a":1}'
curl -s --json @- U/ <<< '{"a":1}'
printf 'X: 1\r\nY: %s\n' z | curl -s -H @- U/
echo '{}' | curl -s --data-binary @- U/
echo -n '{}' | curl -s --data-binary @/dev/stdin U/
cat file | curl -s --data-binary @- U/
curl -s --data-binary @- U/ < file
curl -s U/ > out 2>&1
curl -s U/ 2>&1 | cat
curl -s U/ & wait
curl -s U/ # -d x
A=1 B= curl -s U/
A='x y'; curl -s -d "$A-${A}" U/
export A=x && curl -s -d $A U/
time curl -s U/
env A=b curl -s U/
(curl -s U/; true)
{ curl -s U/; }
OUT=$(curl -s U/)
curl -s -d $'a\'\x41\101\n\t\\\u00e9\U0001F600\cA\q\e' U/
curl -s -d 'a'"b"\c$'d' U/
curl -s -d "a\"b\\c\$d\e\`+"`"+`f" U/
curl -s -d a\ b\"c\'d\\ U/
`), "\n")
