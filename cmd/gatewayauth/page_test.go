package main_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// page starts the page, and returns a saved request whose prefix was removed.
func page(t *testing.T) (address, request string) {
	t.Helper()
	dir := folder(t)
	headers := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-at", "2026-01-15T12:00:00Z", "-d", "a=1", "http://api.example.com/shop/orders").out
	address, _ = background(t, dir, "explain", "-config", "environments.yaml", "-env", "dev", "-http", "127.0.0.1:0")
	return address, "POST /orders HTTP/1.1\nHost: api.example.com\nContent-Length: 3\n" + headers + "\na=1"
}

func ask(t *testing.T, r *http.Request, err error) (int, string, http.Header) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	quiet(t, string(text))
	return answer.StatusCode, string(text), answer.Header
}

// form returns the request that a browser sends for the page's form.
func form(t *testing.T, address string, fields map[string]string) (*http.Request, error) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		if name == "file" {
			part, _ := w.CreateFormFile("file", "request.txt")
			io.WriteString(part, value)
			continue
		}
		w.WriteField(name, value)
	}
	w.Close()
	r, err := http.NewRequest("POST", "http://"+address+"/", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r, err
}

// TestPage: the answers of the page to pasted requests.
func TestPage(t *testing.T) {
	address, request := page(t)
	for _, tt := range []struct {
		name   string
		fields map[string]string
		status int
		want   []string
	}{
		{"cause", map[string]string{"request": strings.ReplaceAll(request, "\n", "\r\n"), "env": "dev", "at": "captured", "prefixes": "/shop"}, 200,
			[]string{"Refused: signature_mismatch", "<code>path_prefix</code>", `<option selected>dev</option>`, `<tr class="differs"><th scope="row">path &ne;</th>`, `>/shop/orders/</span>`}},
		{"file", map[string]string{"file": request, "env": "dev", "at": "captured", "prefixes": "/shop"}, 200, []string{"<code>path_prefix</code>"}},
		{"server's answer", map[string]string{"request": strings.Replace(request, "Host:", "X Y: 1\nHost:", 1), "env": "dev"}, 200,
			[]string{"Refused by the server: 400", "the server answers 400 before the verifier sees the request: a header has an invalid name"}},
		{"lines", map[string]string{"request": request, "env": "dev", "at": "captured", "canonical": "POST\n/shop/orders/\n\nhost:api.example.com\nx-sdk-date:20260115T120000Z\n\nhost;x-sdk-date\nx"}, 200,
			[]string{`<tr class="differs"><th scope="row">path &ne;</th>`, `>/shop/orders/</span>`, `data-copy="/shop/orders/"`, `class="text">/orders/</td></tr>`}},
		{"the date it holds", map[string]string{"request": request, "env": "dev", "own-date": "1", "at": "2031-01-01T00:00:00Z", "prefixes": "/shop"}, 200,
			[]string{"<code>path_prefix</code>", `value="the date it holds"`}},
		{"that date again", map[string]string{"request": request, "env": "dev", "at": "the date it holds", "prefixes": "/shop"}, 200, []string{"<code>path_prefix</code>"}},
		{"a late request", map[string]string{"request": request, "env": "dev", "prefixes": "/shop"}, 200, []string{`<button form="question" name="own-date"`}},
		{"several requests", map[string]string{"request": request + "\n" + request, "env": "dev"}, 200, []string{"select another in the field Entry"}},
		{"no environment", map[string]string{"request": request}, 422, []string{"Environment is missing: name the environment that refused the request (dev, RELEASE)"}},
		{"record", map[string]string{"request": record, "env": "dev"}, 200, []string{"signature_expired", "no headers"}},
		{"escaped", map[string]string{"request": "GET /<script>alert(1)</script> HTTP/1.1\nHost: <b>\n\n", "env": "dev", "hosts": "<i>\"'"}, 422, nil},
		{"nothing", map[string]string{"env": "dev"}, 422, []string{"the input has no request"}},
		{"unknown environment", map[string]string{"request": request, "env": "nowhere"}, 422, []string{"there is no environment"}},
		{"a file that curl would read", map[string]string{"request": "curl -d @/etc/passwd http://x/", "env": "dev"}, 422, []string{"not opened here"}},
		{"a file of headers", map[string]string{"request": "curl -H @/etc/passwd http://x/", "env": "dev"}, 422, []string{"not opened here"}},
		{"a file to upload", map[string]string{"request": "curl -T /etc/passwd http://x/", "env": "dev"}, 422, []string{"not opened here"}},
		{"a file that the shell would read", map[string]string{"request": "cat /etc/passwd | curl -d @- http://x/", "env": "dev"}, 422, []string{"not opened here"}},
		{"a file that cmd.exe would read", map[string]string{"request": "C:\\>curl -d @- http://x/ < /etc/passwd", "env": "dev"}, 422, []string{"not opened here"}},
		{"standard input", map[string]string{"request": "curl -d @- http://x/", "env": "dev"}, 422, []string{"standard input"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := form(t, address, tt.fields)
			status, text, _ := ask(t, r, err)
			if status != tt.status && tt.name != "escaped" {
				t.Errorf("got %d, want %d", status, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("the page does not contain %q:\n%s", want, text)
				}
			}
			if strings.Count(text, "<script") != 1 || strings.Contains(text, "<b>") || strings.Contains(text, "<i>") || strings.Contains(text, "root:") {
				t.Errorf("not escaped:\n%s", text)
			}
		})
	}
}

// TestPageIsGuarded: the page refuses cross-origin requests and requests for other hosts.
func TestPageIsGuarded(t *testing.T) {
	address, request := page(t)
	fields := map[string]string{"request": request, "env": "dev", "at": "captured"}
	for _, tt := range []struct {
		name   string
		change func(r *http.Request)
		get    bool
		want   int
	}{
		{"page itself", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, false, 200},
		{"localhost", func(r *http.Request) { r.Host = "localhost:1234" }, true, 200},
		{"IPv6", func(r *http.Request) { r.Host = "[::1]:1234" }, true, 200},
		{"another site", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, false, 403},
		{"an image of another site", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "no-cors")
		}, true, 403},
		{"a link of another site", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}, true, 200},
		{"another port", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, false, 403},
		{"another origin", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, false, 403},
		{"origin null", func(r *http.Request) { r.Header.Set("Origin", "null") }, false, 403},
		{"rebound name", func(r *http.Request) { r.Host = "evil.example" }, true, 421},
		{"rebound name, with a form", func(r *http.Request) {
			r.Host = "evil.example:80"
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}, false, 421},
		{"name that starts like an address", func(r *http.Request) { r.Host = "127.0.0.1.evil.example" }, true, 421},
		{"empty host", func(r *http.Request) { r.Host = " " }, true, 421},
		{"another path", func(r *http.Request) { r.URL.Path = "/x" }, true, 404},
		{"another method", func(r *http.Request) { r.Method = "PUT" }, true, 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := form(t, address, fields)
			if tt.get {
				r, err = http.NewRequest("GET", "http://"+address+"/", nil)
			}
			tt.change(r)
			status, text, header := ask(t, r, err)
			if status != tt.want {
				t.Errorf("got %d, want %d", status, tt.want)
			}
			if status != 200 && strings.Contains(text, "signature_mismatch") {
				t.Error("the request was answered")
			}
			if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("Content-Security-Policy: %q", policy)
			}
		})
	}
	r, err := form(t, address, map[string]string{"request": strings.Repeat("x", 40<<20)})
	if status, _, _ := ask(t, r, err); status != 400 {
		t.Errorf("a form that is too large: %d", status)
	}
}

// TestPageInABrowser: a real browser fills in and sends the form and shows the answer. A
// page of another site cannot send the form.
func TestPageInABrowser(t *testing.T) {
	path := needs.Program(t, "chromium", "chromium")
	address, request := page(t)
	b := browse(t, path, "http://"+address+"/")
	b.eval(t, "document.getElementById('request').value = "+quoted(request))
	b.eval(t, "document.getElementById('at').value = 'captured'")
	b.eval(t, "document.getElementById('prefixes').value = '/shop'")
	b.eval(t, "document.getElementById('canonical-in').value = "+quoted("POST\n/shop/orders/\n\nhost:api.example.com\nx-sdk-date:20260115T120000Z\n\nhost;x-sdk-date\n"+emptyHash))
	b.eval(t, "document.querySelector('form').submit()")
	b.wait(t, "document.getElementById('verdict')?.textContent", "Refused: signature_mismatch")
	b.wait(t, "document.querySelector('#causes code')?.textContent", "path_prefix")
	b.wait(t, "document.querySelector('#lines tr.differs th')?.textContent", "path ≠")
	// The style is applied, so its nonce is right. Nothing else was loaded.
	b.wait(t, "getComputedStyle(document.querySelector('.refused')).borderLeftStyle", "solid")
	b.wait(t, "String(performance.getEntriesByType('resource').filter(e => !e.name.endsWith('/favicon.ico')).length)", "0")
	b.wait(t, "document.getElementById('request').value.split('\\n')[0]", "POST /orders HTTP/1.1")

	// A page of another origin sends the same form.
	b.open(t, "data:text/html,"+url.PathEscape(`<form method="post" enctype="multipart/form-data" action="http://`+address+`/"><input name="env" value="dev"><textarea name="request">`+record+`</textarea></form>`))
	b.wait(t, "document.forms.length + ''", "1")
	b.eval(t, "document.forms[0].submit()")
	b.wait(t, "String(document.body?.textContent.includes('cross-origin request'))", "true")

	out, err := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--dump-dom", "http://"+address+"/").Output()
	if err != nil || !strings.Contains(string(out), "<h1>Why was the request refused?</h1>") {
		t.Errorf("--dump-dom: %v\n%s", err, out)
	}
}
