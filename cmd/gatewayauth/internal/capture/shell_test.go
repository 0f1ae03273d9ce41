package capture_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// pasted is a pasted command with the expected result: the request line with the host and
// the body, or part of the error. note is part of one of the notes.
type pasted struct {
	name, text, want, note string
}

func checkPasted(t *testing.T, rows []pasted) {
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			c, err := capture.Parse([]byte(tt.text), capture.Options{Open: func(name string) (io.ReadCloser, error) {
				if name != "file" {
					return nil, errors.New("no such file")
				}
				return io.NopCloser(strings.NewReader("f\nile\n")), nil
			}})
			if err != nil {
				if cause, is := strings.CutPrefix(tt.want, "error: "); !is || !strings.Contains(err.Error(), cause) {
					t.Errorf("got the error %q, want %q", err, tt.want)
				}
				return
			}
			r := c.Request
			got := r.Method + " " + r.RequestURI + " " + r.Host
			if v := r.Header.Get("X"); v != "" {
				got += " X=" + v
			}
			if len(c.Body) > 0 {
				got += " " + string(c.Body)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("got the notes %q, want %q", notes, tt.note)
			}
		})
	}
}

// TestPastedCommands_T187: commands as found in terminals, scripts and documents.
func TestPastedCommands_T187(t *testing.T) {
	const printed, several = "output of the command", "commands: only"
	checkPasted(t, []pasted{
		{"dollar", "$ curl http://a/x", "GET /x a", ""},
		{"user and host", "me@host:~/src$ curl http://a/x", "GET /x a", ""},
		{"root", "# curl http://a/x", "GET /x a", ""},
		{"root and host", "root@host:/# curl http://a/x\n", "GET /x a", ""},
		{"centos", "[me@host ~]$ curl http://a/x", "GET /x a", ""},
		{"zsh", "me@mac src % curl http://a/x", "GET /x a", ""},
		{"oh my zsh", "➜  ~ curl http://a/x", "GET /x a", ""},
		{"oh my zsh in a repository", "➜  src git:(main) ✗ curl http://a/x", "GET /x a", ""},
		{"starship", "❯ curl http://a/x", "GET /x a", ""},
		{"angle", "> curl http://a/x", "GET /x a", ""},
		{"virtual environment", "(venv) $ curl http://a/x", "GET /x a", ""},
		{"continued with prompts", "$ curl http://a/x \\\n> -H 'X: 1' \\\n> -d b\n", "POST /x a X=1 b", ""},
		{"quoted over prompts", "$ curl http://a/x -d '{\n> \"a\": 1\n> }'\n", "POST /x a {\n\"a\": 1\n}", ""},
		{"quoted without prompts", "$ curl http://a/x -d '{\n \"a\": 1\n}'\n", "POST /x a {\n \"a\": 1\n}", ""},
		{"continued with a prompt alone", "curl http://a/x \\\n> -H 'X: 1'", "GET /x a X=1", ""},
		{"with what it printed", "$ curl http://a/x\n{\"ok\": it's}\n$ ", "GET /x a", printed},
		{"two prompts", "$ export T=secret\n$ curl -H \"X: $T\" http://a/x\n<html>\n", "GET /x a X=secret", printed},
		{"a script in a word", "docker exec c sh -c 'curl -H \"X: 1\" http://a/x | jq .'", "GET /x a X=1", ""},
		{"a script with a variable", "T=1; bash -lc 'curl -H \"X: $T\" http://a/x'", "error: the variable $T", ""},
		{"data of a substitution", "curl http://a/x -d \"$(cat <<EOF\n{\"a\": 1}\nEOF\n)\"", "POST /x a {\"a\": 1}", ""},
		{"a substitution that is known", "curl http://$(echo a)/`printf x`", "GET /x a", ""},
		{"a substitution without quotes", "curl -H X:$(echo '1 2') http://a/x", "error: splits", ""},
		{"a variable without quotes", "A='1 2'; curl -H X:$A http://a/x", "error: splits", ""},
		{"quoted name", "\\curl \"http://a/x\"", "GET /x a", ""},
		{"a placeholder", "curl https://<host>/x", "error: no host", ""},
		{"Insomnia", "curl --request GET \\\n  --url 'http://a/x' \\\n  --header 'X: 1'", "GET /x a X=1", ""},
		{"copied all", "curl 'http://a/x' ;\ncurl 'http://a/y'", "error: 2 curl commands", ""},
		{"status printed", "curl -so /dev/null -w '%{http_code}\\n' http://a/x; echo", "GET /x a", "2 commands"},
		{"traced", "+ curl -H 'X: 1' http://a/x", "GET /x a X=1", ""},
		{"a Makefile", "\t@curl http://a/x", "GET /x a", ""},
		{"a workflow", "  - run: curl http://a/x", "GET /x a", ""},
		{"an image", "RUN curl http://a/x", "GET /x a", ""},
		{"a & without quotes", "curl http://a/x?a=1&b=2", "GET /x?a=1 a", "ends the command"},
		{"a ; without quotes", "curl http://a/x;v=2", "GET /x a", "ends the command"},
		{"lines that were joined", "curl 'http://a/x' \\ -H 'X: 1'", "error: before a space", ""},
		{"a space after the backslash", "curl 'http://a/x' \\ \n -H 'X: 1'", "error: before a space", ""},
		{"quotes of cmd.exe", "curl http://a/x -d \"{\"\"a\"\":1}\"", "POST /x a {a:1}", "in cmd.exe it is"},
		{"CR LF in the data", "curl http://a/x -d 'a\r\nb'\r\n", "POST /x a a\nb", "CR LF"},
		{"fenced", "```sh\ncurl http://a/x\n```\n", "GET /x a", ""},
		{"comment before", "# the orders\n# curl it\ncurl http://a/x # here\n", "GET /x a", ""},
		{"sudo", "sudo -u me curl http://a/x", "GET /x a", ""},
		{"time and env", "time env -i A=1 /usr/bin/curl http://a/x", "GET /x a", ""},
		{"a prompt and a container", "me@box:~$ kubectl exec -it pod -- curl http://a/x\nok\n", "GET /x a", printed},
		{"a prompt and a timeout", "$ timeout 5 curl http://a/x", "GET /x a", ""},
		{"root in a container", "[root@pod ~]# docker exec app curl http://a/x", "GET /x a", ""},
		{"PowerShell and a container", "PS C:\\> kubectl exec pod -- curl http://a/x", "GET /x a", "PowerShell"},
		{"no backslashes", "curl http://a/x\n -H 'X: 1'\n -d 1", "error: option -H", ""},
		{"CR LF in quotes", "curl http://a/x -H 'X: 1' -d 'a\r\nb\n'", "POST /x a X=1 a\r\nb\n", ""},
		{"a container", "kubectl exec -it pod -- curl http://a/x", "GET /x a", ""},
		{"variables in front", "NO_PROXY= A='b c' curl http://a/x", "GET /x a", ""},
		{"redirected", "curl http://a/x 2>&1 >out.json | tee log | less", "GET /x a", ""},
		{"all redirected", "curl http://a/x &>/dev/null &", "GET /x a", ""},
		{"others around", "cd /tmp; curl http://a/x && echo done", "GET /x a", several},
		{"no request in the other", "curl --version; curl http://a/x", "GET /x a", several},
		{"two", "curl http://a/x; curl http://b/", "error: 2 curl commands", ""},
		{"two lines", "curl http://a/x\ncurl http://b/", "error: 2 curl commands", ""},
		{"one feeds the other", "T=$(curl http://a/token)\ncurl -H \"X: $T\" http://a/x", "error: 2 curl commands", ""},
		{"in a substitution", "OUT=$(curl http://a/x)", "GET /x a", ""},
		{"in a loop", "for i in 1 2; do curl http://a/$i; done", "error: is in a loop", ""},
		{"what it printed, without a prompt", "curl http://a/x\n<html>\nit's\n", "GET /x a", "ignored"},
		{"options of one letter", "curl -sSfLkX POST http://a/x", "POST /x a", ""},
		{"unknown long", "curl --frobnicate http://a/x", "error: option --frobnicate of curl is unknown", ""},
		{"unknown letter", "curl -s? http://a/x", "error: option -", ""},
		{"abbreviated", "curl --data-u 'a=b c' http://a/x", "POST /x a a=b+c", ""},
		{"ambiguous", "curl --hea http://a/x", "error: --head, --header", ""},
		{"value after =", "curl --header='X: 1' http://a/x", "error: after =", ""},
		{"expanded by curl", "curl --expand-data x http://a/x", "error: variables of curl", ""},
		{"negated", "curl --get --no-get -d a http://a/x", "POST /x a a", ""},
		{"aws-sigv4", "curl --aws-sigv4 aws:amz -u a:b http://a/x", "error: --aws-sigv4", ""},
		{"config", "curl -K file http://a/x", "error: --config", ""},
		{"form", "curl -F a=b http://a/x", "error: --form", ""},
		{"digest", "curl --digest -u a:b http://a/x", "error: --digest", ""},
		{"next", "curl http://a/x -: http://b/", "error: --next", ""},
		{"pattern of URLs", "curl 'http://a/[1-3]'", "error: pattern of many URLs", ""},
		{"braces of the shell", "curl http://a/{x,y}", "error: several words", ""},
		{"IPv6", "curl -g 'http://[0:0::1]:80/x'", "GET /x [::1]", ""},
		{"port", "curl https://a:0443/x", "GET /x a", ""},
		{"one slash", "curl http:/a/x", "error: two slashes", ""},
		{"not ASCII", "curl http://bücher.example/", "error: not ASCII", ""},
		{"a number", "curl http://127.1/x", "error: four decimal numbers", ""},
		{"a variable", "curl -H \"X: $TOKEN\" http://a/x", "error: the variable $TOKEN", ""},
		{"a variable with a default", "curl -H \"X: ${TOKEN:-1}\" http://a/x", "error: the variable ${TOKEN...}", ""},
		{"set for the call only", "T=1 curl -H \"X: $T\" http://a/x", "error: the variable $T", ""},
		{"perhaps set", "false || T=1; curl -H \"X: $T\" http://a/x", "error: the variable $T", ""},
		{"read from somewhere", "T=1; read T; curl -H \"X: $T\" http://a/x", "error: the variable $T", ""},
		{"a substitution", "curl -H \"X: $(date)\" http://a/x", "error: $(...)", ""},
		{"backquotes", "curl -H \"X: `date`\" http://a/x", "error: backquotes", ""},
		{"arithmetic", "curl http://a/$((1+1))", "error: $((...))", ""},
		{"a process", "curl -d @<(date) http://a/x", "error: <(...)", ""},
		{"home", "curl -T ~/file http://a/x", "error: a ~", ""},
		{"typographic quotes", "curl -H “X: 1” http://a/x", "error: typographic", ""},
		{"typographic hyphen", "curl –d x http://a/x", "error: typographic", ""},
		{"typographic in quotes", "curl -d '“x”' http://a/x", "POST /x a “x”", ""},
		{"here-document", "curl -d @- http://a/x <<EOF\n{\"a\": \"\\$b\"}\nEOF\n", "POST /x a {\"a\": \"$b\"}", ""},
		{"here-document, quoted", "curl --data-binary @- http://a/x <<-'EOF'\n\t$a\n\tEOF\n", "POST /x a $a\n", ""},
		{"here-document with a variable", "curl -d @- http://a/x <<EOF\n$a\nEOF\n", "error: standard input", ""},
		{"here-string", "curl --json @- http://a/x <<< '{}'", "POST /x a {}\n", ""},
		{"from echo", "echo '{\"a\":1}' | curl -d @- http://a/x", "POST /x a {\"a\":1}", ""},
		{"from echo with escapes", "echo 'a\\nb' | curl -d @- http://a/x", "error: differs between shells", ""},
		{"from printf", "printf '%s=%s' a b | curl -d @- http://a/x", "POST /x a a=b", ""},
		{"from a program", "jq -n 1 | curl -d @- http://a/x", "error: output is unknown", ""},
		{"from a file", "curl --data-binary @- http://a/x < file", "POST /x a f\nile\n", "current content"},
		{"from cat", "cat file | curl -d @- http://a/x", "POST /x a file", "current content"},
		{"from the terminal", "curl -d @- http://a/x", "error: standard input", ""},
		{"twice", "echo a | curl -d @- -d @- http://a/x", "error: was read already", ""},
		{"headers of a file", "curl -H @file http://a/x", "GET /x a", "not a header"},
		{"surrogates", `curl -d $'\ud83d\ude00' http://a/x`, "POST /x a 😀", "one character"},
		{"half a pair", `curl -d $'\ud83d' http://a/x`, "error: is not a character", ""},
		{"Latin-1", `curl -d $'\xe9' http://a/x`, "POST /x a \xe9", "Firefox"},
		{"upload", "curl -T file http://a/d/", "PUT /d/file a f\nile\n", "current content"},
		{"empty before more data", "curl -d '' -d a http://a/x", "error: differ", ""},
		{"signed user agent", "curl -H 'X: SignedHeaders=host;user-agent' http://a/x", "GET /x a X=SignedHeaders=host;user-agent", "User-Agent"},
		{"signed user agent in the query", "curl 'http://a/x?SignedHeaders=host%3Buser-agent'", "GET /x?SignedHeaders=host%3Buser-agent a", "User-Agent"},
		{"lines of Windows", "curl http://a/x \\\r\n  -H 'X: 1'\r\n", "GET /x a X=1", ""},
		{"open quote", "curl 'http://a/x", "error: is not closed", ""},
		{"a word of another", "apt-get install curl http", "error: no curl command", ""},
	})
}

// TestWindowsCommands_T187: commands with the quotes of cmd.exe and PowerShell.
func TestWindowsCommands_T187(t *testing.T) {
	const json = `POST /x a X=1 {"a":"b c"}`
	checkPasted(t, []pasted{
		{"Chrome", "curl ^\"http://a/x^\" ^\n  -H ^\"X: 1^\" ^\n  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"b c^\\^\"^}^\"", json, ""},
		{"Chrome, CR LF", "curl ^\"http://a/x^\" ^\r\n  -H ^\"X: 1^\" ^\r\n  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"b c^\\^\"^}^\"\r\n", json, ""},
		{"Chrome, older", "curl \"http://a/x\" ^\n  -H \"X: 1\" ^\n  --data-raw \"{\\\"a\\\":\\\"b c\\\"}\"", json, ""},
		{"Chrome, oldest", "curl \"http://a/x\" -H \"X: 1\" --data-binary \"{\"\"a\"\":\"\"b c\"\"}\" ^\n --compressed", json, ""},
		{"Chrome, line break", "curl ^\"http://a/x^\" --data-raw ^\"a^\n\nb^\"", "POST /x a a\nb", ""},
		{"Chrome, backslash", `curl ^"http://a/x^" -d ^"a^\^\b^\^\^\^"c^"`, `POST /x a a\\b\"c`, ""},
		{"Chrome, percent", "curl ^\"http://a/x?q=^%^20^&r=^%^PATH^%^\" ^\n -H ^\"X: 1^\"", "GET /x?q=%20&r=%PATH% a X=1", ""},
		{"Firefox", "curl.exe ^\"http://a/x^\" ^\n  -X POST ^\n  -H ^\"X: 1^\" ^\n  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"b c^\\^\"^}^\"", json, ""},
		{"Firefox, percent", "curl.exe \"http://a/x?a=\"%\"20b\" ^\n -H \"X: 1\"", "GET /x?a=%20b a X=1", ""},
		{"prompt", `C:\Users\me>curl -H "X: 1" "http://a/x?a=1&b=2"`, "GET /x?a=1&b=2 a X=1", ""},
		{"prompt and output", "C:\\>curl http://a/x 2>nul >out.json\r\n{\"ok\": 1}\r\n", "GET /x a", "output of the command"},
		{"continued with More?", "C:\\>curl http://a/x ^\nMore? -H \"X: 1\"\n", "GET /x a X=1", ""},
		{"piped", "C:\\>curl http://a/x | more & echo ^\"", "GET /x a", "has 3 commands"},
		{"Postman", "curl --location \"http://a/x\" ^\n--header \"X: 1\" ^\n--data \"{\\\"a\\\":\\\"b c\\\"}\"", json, ""},
		{"copied all", "curl ^\"http://a/x^\" &\ncurl ^\"http://a/y^\"", "error: 2 curl commands", ""},
		{"a & without quotes", `C:\>curl http://a/x?a=1&b=2`, "GET /x?a=1 a", "ends the command"},
		{"a path", `C:\>"C:\Program Files\curl\curl.exe" http://a/x`, "GET /x a", ""},
		{"a variable", `C:\>curl -H "X: %TOKEN%" http://a/x`, "error: the variable %TOKEN%", ""},
		{"a variable like an encoded byte", `C:\>curl http://%DEV_HOST%/x`, "error: the variable %DEV_HOST%", ""},
		{"encoded bytes", `C:\>curl "http://a/%C3%A9%20b%2Fc%e2%82%ac"`, "GET /%C3%A9%20b%2Fc%e2%82%ac a", ""},
		{"encoded bytes around a name", `C:\>curl "http://a/%C3abc%20"`, "GET /%C3abc%20 a", "no variable"},
		{"a batch file", "C:\\>curl \"http://a/%%20\"", "error: batch file", ""},
		{"from a program", `C:\>type file | curl -d @- http://a/x`, "error: output is unknown", ""},
		{"from a file", `C:\>curl -d @- http://a/x < file`, "POST /x a file", "current content"},
		{"not ASCII", "curl ^\"http://a/x^\" -d ^\"é^\"", "POST /x a é", "code page"},
		{"caret in POSIX quotes", "curl 'http://a/x' -d 'a ^\nb ^\"'", "POST /x a a ^\nb ^\"", ""},
		{"Invoke-WebRequest", "Invoke-WebRequest -UseBasicParsing -Uri \"http://a/x\" `\n-Method POST", "error: Invoke-WebRequest, not of curl", ""},
		{"a session", "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\nInvoke-WebRequest -Uri \"http://a/x\" -WebSession $session", "error: Invoke-WebRequest", ""},
		{"iwr", "PS C:\\> iwr http://a/x", "error: Invoke-WebRequest", ""},
		{"parameters of PowerShell", "curl -Uri http://a/x -Method POST", "error: -Uri is a parameter", ""},
		{"PowerShell", "PS C:\\Users\\me> curl.exe -H 'X: 1' \"http://a/x\"", "GET /x a X=1", ""},
		{"PowerShell, continued", "curl.exe -H 'X: 1' `\n  'http://a/x' `\n  -d 'it''s'", "POST /x a X=1 it's", ""},
		{"PowerShell, continued with prompts", "PS C:\\> curl.exe 'http://a/x' `\n>> -H 'X: 1'\n", "GET /x a X=1", ""},
		{"PowerShell, escaped", "PS C:\\> curl.exe 'http://a/x' -d \"a`tb`$c \"\"d\"\"\"", "POST /x a a\tb$c \"d\"", "7.3"},
		{"PowerShell, backslashes", `PS C:\> curl.exe http://a/x -d '{\"a\":1}'`, `POST /x a {"a":1}`, "Windows PowerShell"},
		{"PowerShell, both", `PS C:\> curl.exe http://a/x -d '{\"a\":"1"}'`, "error: differently", ""},
		{"PowerShell, a variable", `PS C:\> curl.exe http://a/x -H "X: $env:TOKEN"`, "error: is unknown", ""},
		{"PowerShell, splatted", `PS C:\> curl.exe http://a/x -d @file`, "error: is unknown", ""},
		{"PowerShell, a file", `PS C:\> curl.exe http://a/x -d '@file'`, "POST /x a file", "current content"},
		{"PowerShell, curl", `PS C:\> curl http://a/x`, "GET /x a", "another name"},
		{"PowerShell, others", "PS C:\\> cd C:\\; & curl.exe http://a/x 2>$null | more # x\n", "GET /x a", "has 3 commands"},
		{"PowerShell, redirected", "PS C:\\> curl.exe http://a/x 2>&1 > out.txt # x\n", "GET /x a", ""},
		{"PowerShell, an empty argument", "PS C:\\> curl.exe http://a/x -A ''", "error: empty argument", ""},
	})
}

// TestLongCommands_T187: values may be long, as browsers write them. A text that would
// use up the stack of the parser is an error.
func TestLongCommands_T187(t *testing.T) {
	long := strings.Repeat(`[{"a":"it (\\) $ \"x\" # `+"`"+`"}]`, 20000)
	for _, command := range []string{
		"curl http://a/x -d " + capture.Quote(long),
		"curl http://a/x -d '" + long + "' # it's\n",
		"curl http://a/x -H 'X: it'\\''s' --data-raw \"\"'" + long + "'",
		"curl http://a/x -d $'" + strings.NewReplacer(`\`, `\\`, `$`, `\x24`).Replace(long) + "'",
		"# it's\ncurl http://a/x -d '" + long + "'",
	} {
		c, err := capture.Parse([]byte(command), capture.Options{})
		if err != nil || string(c.Body) != long {
			t.Errorf("%.30s...: %v", command, err)
		}
	}
	for _, piece := range []string{"(", "((", "$(", "a[", "((a[", "[[ (", "{ ", "`", "if ", "! ", "\"${a:-", "a=(", "<(", "a;", "a|", "<<a ", "'", `"`, "f() ", "case a in a) ", "\uf8ff0\uf8ff", "'" + long + "'("} {
		text := "curl http://a/x\n" + strings.Repeat(piece, (1<<20)/len(piece))
		if c, err := capture.Parse([]byte(text), capture.Options{Format: "curl"}); err == nil && len(c.Notes) == 0 {
			t.Errorf("%.10s...: read as %s", piece, c.Request.RequestURI)
		}
	}
}

// TestWindowsQuotes_T187: texts that browsers quote for cmd.exe are read as the original
// text. The texts have no backslash, because browsers double it and Windows programs read
// two.
func TestWindowsQuotes_T187(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 187))
	escaped := func(text string) string { // ^ before all but letters, digits and what is plain to cmd.exe
		var b strings.Builder
		for i, r := range text {
			switch {
			case r == '"':
				b.WriteString(`^\^"`)
			case r == '\n':
				b.WriteString("^\n\n")
			case strings.ContainsRune(" _-:=+~'/.,?;()*`\t", r), r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
				b.WriteRune(r)
			case r == '%' && i+1 < len(text) && strings.ContainsRune("abC20_", rune(text[i+1])):
				b.WriteString("^%^")
			default:
				b.WriteString("^" + string(r))
			}
		}
		return `^"` + b.String() + `^"`
	}
	doubled := func(text string) string { // "" for a quote, and % outside quotes
		return `"` + strings.NewReplacer(`"`, `""`, "%", `"%"`, "\n", "\"^\n\n\"").Replace(text) + `"`
	}
	for range 3000 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString([]string{"a", "b", "C", "2", "0", "_", " ", `"`, "%", "^", "&", "|", "<", ">", "{", "}", "'", "(", ")", "!", "$", "\n", "=", "@x", ";", "`", "#"}[random.IntN(27)])
		}
		text := "." + b.String()
		for name, quote := range map[string]func(string) string{"^": escaped, `""`: doubled} {
			command := "curl " + quote("http://a/") + " ^\n  -H " + quote("X: 1") + " ^\n  --data-raw " + quote(text) + " ^\n  --compressed"
			c, err := capture.Parse([]byte(command), capture.Options{Format: "curl"})
			if err != nil || string(c.Body) != text || c.Request.Header.Get("X") != "1" {
				t.Fatalf("%s: %q is written as\n%s\nand read as %+v, %v", name, text, command, c, err)
			}
		}
	}
}
