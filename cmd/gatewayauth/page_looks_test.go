package main_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// picture returns a picture of the page, as PNG. height is 0 for the whole page.
func (b *browser) picture(t *testing.T, width, height int, scheme string) []byte {
	t.Helper()
	whole := height == 0
	b.call(t, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": max(height, 800), "deviceScaleFactor": 1, "mobile": width < 600})
	b.call(t, "Emulation.setScrollbarsHidden", map[string]any{"hidden": true})
	b.call(t, "Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}})
	var r struct{ Data string }
	json.Unmarshal(b.call(t, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": whole, "optimizeForSpeed": false}), &r)
	png, err := base64.StdEncoding.DecodeString(r.Data)
	if err != nil || len(png) == 0 {
		t.Fatalf("no picture: %v", err)
	}
	return png
}

// contrast returns the lowest contrast between a text and its background on the page, by the
// formula of WCAG 2, with the text.
const contrast = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
  let least = [21, ""];
  for (const e of document.querySelectorAll("main *, header *")) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
    if (!text || !e.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < least[0]) least = [ratio, text];
  }
  return least[0] >= 4.5 ? "enough" : least.join(" ");
})()`

// TestPageLooks_T233: the page is readable on a telephone and on a desk, by day and by
// night: nothing is wider than the window, texts stand out from their background, and a
// reader of the screen finds its parts. The pictures are in the folder of go test
// -artifacts; GATEWAYAUTH_PICTURE=1 makes that of the README.
func TestPageLooks_T233(t *testing.T) {
	needs.Long(t) // draws the page in each size and theme
	path := needs.Program(t, "chromium", "chromium")
	dir := folder(t)
	keep(t, dir, hostRefusal, refusal{key: orders, signed: "GET /v1/orders/7", arrive: "/orders/7"}, stranger, withCookie, hostRefusal)
	address, _ := background(t, dir, "explain", "-config", "environments.yaml", "-http", "127.0.0.1:0", "refused")
	b := browse(t, path, "http://"+address+"/")
	list := b.eval(t, "location.href")
	one := b.eval(t, "[...document.querySelectorAll('#kept a')].at(-1).href")
	unexplained := b.eval(t, "[...document.querySelectorAll('#kept a')].at(-3).href")
	for _, page := range []struct{ name, address, shows string }{
		{"list", list, "#kept a"}, {"cause", one, "tr.differs"}, {"none", unexplained, "#advice"},
	} {
		b.open(t, page.address)
		b.wait(t, "location.href + !!document.querySelector("+quoted(page.shows)+")", page.address+"true")
		for _, width := range []int{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				png := b.picture(t, width, 0, scheme)
				name := page.name + "-" + scheme + "-" + strconv.Itoa(width) + ".png"
				if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), png, 0o600); err != nil {
					t.Error(err)
				}
				for what, test := range map[string][2]string{
					"width":     {"document.documentElement.scrollWidth <= " + strconv.Itoa(width) + " ? 'enough' : String(document.documentElement.scrollWidth)", "enough"},
					"contrast":  {contrast, "enough"},
					"landmarks": {"['main', 'header', 'h1', 'form'].map(n => document.querySelectorAll(n).length).join(' ')", "1 1 1 1"},
					"labels":    {"String([...document.querySelectorAll('input, select, textarea')].filter(e => !e.labels.length).length)", "0"},
				} {
					if got := b.eval(t, test[0]); got != test[1] {
						t.Errorf("%s: the %s is %s, want %s", name, what, got, test[1])
					}
				}
			}
		}
	}
	if os.Getenv("GATEWAYAUTH_PICTURE") == "" {
		return
	}
	b.open(t, one)
	b.wait(t, "location.href + !!document.querySelector('tr.differs')", one+"true")
	if err := os.WriteFile("../../docs/explain.png", b.picture(t, 1280, 690, "light"), 0o644); err != nil {
		t.Error(err)
	}
}

// TestPageIsUsable_T233: the enter key explains the request at the clock of the form, the
// button beside the clock at the date that the request holds, and the button beside a line
// copies it. Without scripts that button is absent.
func TestPageIsUsable_T233(t *testing.T) {
	path := needs.Program(t, "chromium", "chromium")
	address, request := page(t)
	b := browse(t, path, "http://"+address+"/")
	fill := func() {
		t.Helper()
		b.wait(t, "String(!!document.getElementById('request'))", "true")
		b.eval(t, "document.getElementById('request').value = "+quoted(request))
		b.eval(t, "document.getElementById('prefixes').value = '/shop'")
	}
	fill()
	b.eval(t, "document.getElementById('prefixes').focus()")
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.call(t, "Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"})
	}
	b.wait(t, "document.querySelector('#causes')?.textContent.includes('clock_skew') + ' ' + document.getElementById('at').value", "true ")
	b.eval(t, "document.querySelector('#answer button').click()")
	b.wait(t, "document.querySelector('#causes li:last-child code')?.textContent + ' ' + document.getElementById('at').value", "path_prefix the date it holds")
	b.wait(t, "document.title", "Refused: signature_mismatch – Why was the request refused?")
	b.wait(t, "[...document.querySelectorAll('button.copy')].map(b => b.dataset.copy + b.hidden).join(' ')", "/shop/orders/false")
	b.call(t, "Browser.grantPermissions", map[string]any{"permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}, "origin": "http://" + address})
	b.eval(t, "document.querySelector('button.copy').click()")
	b.wait(t, "document.querySelector('button.copy').textContent", "Copied")

	b.call(t, "Emulation.setScriptExecutionDisabled", map[string]any{"value": true})
	b.open(t, "http://"+address+"/?")
	b.wait(t, "location.search + String(!!document.getElementById('request'))", "true")
	fill()
	b.eval(t, "document.querySelector('form').requestSubmit(document.querySelector('form [name=own-date]'))")
	b.wait(t, "[...document.querySelectorAll('button.copy')].map(b => b.dataset.copy + b.hidden).join(' ')", "/shop/orders/true")
	b.wait(t, "getComputedStyle(document.querySelector('tr.differs .signed')).userSelect", "all")
}
