package differential_test

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

const timestamp = "20060102T150405Z"

// dates are seconds from now.
var dates = []int{0, 0, 0, 0, 0, 1, -1, 59, 60, 61, -60, -61, 300, -300, 899, 900, 901, -899, -900, -901, 3600, -3600, -86400, 86400}

// draft returns a message that is signed by the signer of this package, for a world. Most
// are honest; some have oddities that were there when they were signed.
func (d dice) draft(w *world) *message {
	k := w.key
	if d.one(40) {
		k = pick(d, keys)
	}
	m := d.unsigned(k)
	if prefix := w.config.Rewrite.AddPrefix; prefix != "" && !d.one(4) {
		m.path = prefix + m.path
	}
	d.credential(k, m, d.one(4)).sign(m)
	d.afterSigning(w, m)
	return m
}

// unsigned returns a message of a key without credential.
func (d dice) unsigned(k *key) *message {
	m := &message{method: pick(d, methods), path: d.path(), query: d.queryString(), version: "HTTP/1.1", body: d.content()}
	m.mark = m.query != "" || d.one(20)
	if d.one(100) {
		m.version = pick(d, []string{"HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9"})
	}
	m.headers(d)
	if d.calls {
		m.call(d)
	}
	f := withLength
	switch {
	case m.body == "" && !d.one(4):
		f = withoutBody
	case d.one(4):
		f = chunked
	}
	m.frame(d, f)
	if k.session != "" && !d.one(10) && !k.aws() {
		m.insert(d, line{"X-Security-Token", " " + k.session})
	}
	return m
}

// credential returns how a message of the key is to be signed, and adds what that needs:
// the date, the session token, the region set and the digest.
func (d dice) credential(k *key, m *message, odd bool) *credential {
	c := &credential{key: k, signWith: k.secret, encoded: d.one(5), query: k.presigns() && d.one(3)}
	if k.previous != "" && d.one(4) {
		c.signWith = k.previous
	}
	if d.one(100) {
		c.signWith += "x"
	}
	if k.typ == "basic" {
		return c
	}
	at := now.Add(time.Duration(pick(d, dates)) * time.Second)
	c.date = at.UTC().Format(timestamp)
	c.expires = pick(d, []string{"1", "60", "300", "900", "3600", "604800"})
	c.omitID = k.typ == "aes" && d.one(2)
	if odd && d.one(10) {
		c.date = pick(d, []string{"20260115T120000", "2026-01-15T12:00:00Z", "20260115T240000Z", "20260230T120000Z", "20260115T115960Z", "20260115t120000z", "", "20260115T120000Z "})
	}
	if odd && d.one(10) {
		c.expires = pick(d, []string{"0", "604801", "-1", "+1", "01", "1.5", "", "99999999999999999999", "1e3"})
	}
	day := c.date[:min(8, len(c.date))]
	c.scope = k.scope(day)
	if odd && c.scope != "" && d.one(8) {
		c.scope = pick(d, []string{k.scope("20260114"), c.scope + "/x", strings.ToUpper(c.scope), day + "/other" + c.scope[8:], day + "/cn-north-1/ecs/sdk_request", day + "/us-east-1/execute-api/aws4_request", "", day + "//" + k.service + "/aws4_request"})
	}
	d.dateHeader(c, m, odd)
	d.sessionToken(c, m, odd)
	if k.typ == "sigv4a" && !(odd && d.one(10)) {
		d.regionSet(c, m, odd)
	}
	d.payload(c, m, odd)
	c.list = d.list(c, m, odd)
	return c
}

// dateHeader adds the date of the header form.
func (d dice) dateHeader(c *credential, m *message, odd bool) {
	name := c.prefix() + "Date"
	if c.query {
		if odd && d.one(10) {
			m.insert(d, line{name, " " + c.date})
		}
		return
	}
	m.remove(name)
	if c.aws() && d.one(6) { // Date takes its place
		m.remove("Date")
		at, err := time.Parse(timestamp, c.date)
		value := c.date
		if err == nil && !d.one(4) {
			value = at.Format("Mon, 02 Jan 2006 15:04:05 ") + pick(d, []string{"GMT", "+0000", "-0000"})
			if odd && d.one(3) {
				value = at.Format(pick(d, []string{"Mon, 2 Jan 2006 15:04:05 GMT", "Tue, 02 Jan 2006 15:04:05 GMT", "Mon, 02 Jan 2006 15:04:05 UTC", "Mon, 02 Jan 2006 15:04:05 +0100", "Monday, 02-Jan-06 15:04:05 GMT", "Mon Jan _2 15:04:05 2006", "mon, 02 jan 2006 15:04:05 gmt"}))
			}
		}
		m.insert(d, line{"Date", " " + value})
		return
	}
	m.insert(d, line{pick(d, []string{name, name, strings.ToLower(name), strings.ToUpper(name)}), " " + c.date})
}

// sessionToken adds the session token of the key; the SDK schemes have it already.
func (d dice) sessionToken(c *credential, m *message, odd bool) {
	if !c.aws() {
		return
	}
	value := c.session
	if odd && d.one(5) {
		value = pick(d, []string{"", "other", "session-token+/="})
	} else if value == "" || d.one(12) {
		return
	}
	if c.query && !d.one(6) {
		m.addParameter("X-Amz-Security-Token", value)
	} else {
		m.remove("X-Amz-Security-Token")
		m.insert(d, line{"X-Amz-Security-Token", " " + value})
	}
}

func (d dice) regionSet(c *credential, m *message, odd bool) {
	set := pick(d, []string{c.region, c.region, c.region + ",us-east-1", "us-east-1, " + c.region, "us-east-1 ,  " + c.region + " ,x"})
	if odd || c.wildcards && d.one(2) {
		set = pick(d, []string{"*", "eu-*", "eu-west-*,us-*", "us-*", "", " ", "us-east-1", "EU-WEST-1", "e*-w*1", "eu-west-1*", c.region + "," + c.region, ",", "**", "*-1", "eu-west-10"})
	}
	if c.query {
		m.addParameter("X-Amz-Region-Set", set)
		return
	}
	m.remove("X-Amz-Region-Set")
	m.insert(d, line{"X-Amz-Region-Set", " " + set})
}

// payload declares the digest of the body, or that it is not signed. An odd digest is right
// but for some digits.
func (d dice) payload(c *credential, m *message, odd bool) {
	unsigned := c.query && c.paths == "s3" && (c.service == "s3" || strings.HasPrefix(c.service, "s3-"))
	if unsigned {
		c.payload = "UNSIGNED-PAYLOAD"
	}
	value := ""
	switch d.IntN(6) {
	case 0, 1:
		value = c.sum(m.body)
	case 2:
		value = "UNSIGNED-PAYLOAD"
	}
	if odd && d.one(3) {
		digest := []byte(c.sum(m.body))
		i := d.IntN(len(digest))
		switch d.IntN(5) {
		case 0, 1: // one digit
			digest[i] = "0123456789abcdef"[(strings.IndexByte("0123456789abcdef", digest[i])+1+d.IntN(15))%16]
			value = string(digest)
		case 2: // all digits from one on
			value = string(digest[:i]) + strings.Repeat("0", len(digest)-i)
		case 3:
			value = pick(d, []string{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-", "unsigned-payload", "", strings.ToUpper(string(digest)), string(digest[1:]), string(digest) + "0", "UNSIGNED-PAYLOAD ", c.sum("")})
		case 4:
			value = c.sum(d.content())
		}
	}
	if value == "" && !(odd && d.one(10)) {
		return
	}
	c.payload = value
	switch name := c.digestHeader(); {
	case c.query && c.aws() && !d.one(4):
		m.addParameter(pick(d, []string{name, name, strings.ToLower(name)}), value)
	default:
		m.remove(name)
		m.insert(d, line{pick(d, []string{name, strings.ToLower(name)}), " " + value})
	}
}

// list returns SignedHeaders: what must be signed, and others by chance.
func (d dice) list(c *credential, m *message, odd bool) string {
	must := func(name string) bool {
		switch name {
		case "host", "x-http-method-override", "x-method-override", "x-http-method":
			return true
		case "date":
			return c.aws() && !c.query && !m.has("X-Amz-Date")
		case "x-security-token":
			return c.session != ""
		case strings.ToLower(c.digestHeader()):
			return c.payload != "" // it was declared
		}
		return strings.HasPrefix(name, strings.ToLower(c.prefix()))
	}
	var names []string
	all := d.one(3)
	for _, l := range m.lines {
		name := strings.ToLower(l.name)
		if must(name) && !(odd && d.one(20)) || !slices.Contains(unsignable, name) && (all || d.one(2)) || odd && d.one(30) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if odd && d.one(4) {
		switch d.IntN(7) {
		case 0:
			names = append(names, pick(d, []string{"zz", "x-absent", "", "host", "X-Role", "a b", "te", "connection", "authorization", "transfer-encoding"}))
		case 1:
			slices.Reverse(names)
		case 2:
			names = nil
		case 3:
			names = slices.Insert(names, 0, pick(d, []string{"", "a", "authorization", "Accept"}))
		case 4:
			names = append(names, pick(d, []string{"x-role_", "z_absent", "zz-absent", "z"}))
		case 5:
			for i := range 70 {
				names = append(names, "z"+strconv.Itoa(100+i))
			}
		case 6:
			names = append(names, names...)
		}
	}
	return strings.Join(names, ";")
}

// afterSigning adds what something on the way adds, which needs no signature.
func (d dice) afterSigning(w *world, m *message) {
	m.path = strings.TrimPrefix(m.path, w.config.Rewrite.AddPrefix) // as a proxy does
	if w.config.Rewrite.Host != "" && d.one(2) {
		if i := m.find("Host"); i >= 0 {
			m.lines[i].value = " internal.example.com"
		}
	}
	if d.one(20) {
		m.insert(d, pick(d, strange))
	}
}
