package capture

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// before matches what curl prints in front of a line: the progress meter or bar, without a
// line break after it, the time, and ids.
const (
	before = `(?:[\r0-9 .:#%=OkMGTPdh-]*[0-9 %])?` + ids
	ids    = `(?:\[[0-9x-]+\] )?`
	stamp  = `(?:\d\d:\d\d:\d\d\.\d+ )?` + ids
)

var (
	// sentLine matches a line of a sent header section, as curl -v prints it.
	sentLine = regexp.MustCompile(`^` + before + `> ?`)
	// sentRequest matches such a line with a request line.
	sentRequest = regexp.MustCompile(`^` + before + `> \S+ \S+ HTTP/[0-9](?:\.[0-9])?\r*$`)
	// traceLine starts a part that was sent, as curl --trace and --trace-ascii print it.
	traceLine = regexp.MustCompile(`^` + stamp + `=> (Send header|Send data), (\d+) bytes \(0x[0-9a-f]+\)\r?$`)
	// traced matches the start of a part with headers.
	traced = regexp.MustCompile(`^` + stamp + `=> Send header, \d+ bytes`)
	// dumpLine matches a line of a part: the offset of its bytes, and the bytes.
	dumpLine = regexp.MustCompile(`^([0-9a-f]{4,8}): (.*?)\r?$`)
	// hexBytes matches the bytes of --trace, in a column that is 48 characters wide.
	hexBytes = regexp.MustCompile(`^(?:[0-9a-f]{2} ){1,16}`)
)

// verbose returns the requests in the output of curl -v, each from its request line to the
// empty line. curl -v does not print bodies.
func verbose(data []byte) (all []message) {
	var head []byte
	end := func() {
		if head != nil {
			all = append(all, cut(append(head, "\r\n"...)))
		}
		head = nil
	}
	for line := range bytes.Lines(data) {
		if len(all) > mostRequests {
			break
		}
		if !bytes.Contains(line, []byte(">")) {
			continue
		}
		prefix := sentLine.FindIndex(line)
		if prefix == nil {
			continue
		}
		text := bytes.TrimRight(line[prefix[1]:], "\r\n")
		switch {
		case sentRequest.Match(bytes.TrimSuffix(line, []byte("\n"))):
			end()
			head = append(bytes.Clone(text), "\r\n"...)
		case len(text) == 0:
			end()
		case head != nil:
			head = append(append(head, text...), "\r\n"...)
		}
	}
	end()
	return all
}

// trace returns the requests in the output of curl --trace or --trace-ascii.
func trace(data []byte) (all []message) {
	var wire []byte
	dots := false
	end := func() {
		if len(wire) > 0 {
			m := cut(wire)
			if dots {
				m.note("the body has bytes that curl --trace-ascii shows as dots: save the request with --trace, which writes all bytes")
			}
			all = append(all, m)
		}
		wire, dots = nil, false
	}
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines) && len(all) <= mostRequests; i++ {
		if !strings.Contains(lines[i], "=> Send ") {
			continue
		}
		part := traceLine.FindStringSubmatch(lines[i])
		if part == nil {
			continue
		}
		size, _ := strconv.Atoi(part[2])
		from := i + 1
		for i+1 < len(lines) && dumpLine.MatchString(lines[i+1]) {
			i++
		}
		bytes, exact := dump(lines[from:i+1], min(size, len(data)))
		if line, _, _ := strings.Cut(bytes, "\n"); part[1] == "Send header" && requestLine.MatchString(line) {
			end()
		} else if !exact && strings.Contains(bytes, ".") {
			dots = true
		}
		wire = append(wire, bytes...)
	}
	end()
	return all
}

// withoutTunnels removes the CONNECT requests with which curl made a proxy open a tunnel
// for the following requests.
func withoutTunnels(all []message) []message {
	tunnels := 0
	for len(all) > tunnels+1 && bytes.HasPrefix(all[tunnels].wire, []byte("CONNECT ")) {
		tunnels++
	}
	all = all[tunnels:]
	for i := range all {
		if tunnels > 0 {
			all[i].note("the CONNECT request, which opened a tunnel through the proxy, is ignored")
		}
	}
	return all
}

// dump returns the bytes of one part. In the output of --trace-ascii, the offset of a line
// after CR LF is two bytes larger.
func dump(lines []string, size int) (text string, exact bool) {
	var b strings.Builder
	for _, line := range lines {
		part := dumpLine.FindStringSubmatch(line)
		at, err := strconv.ParseInt(part[1], 16, 64)
		if err != nil || int(at) > size {
			break
		}
		if b.Len() == int(at)-2 {
			b.WriteString("\r\n")
		}
		if bytes := hexDump(part[2]); bytes != nil {
			b.Write(bytes)
			exact = true
			continue
		}
		b.WriteString(part[2])
	}
	if b.Len() == size-2 {
		b.WriteString("\r\n")
	}
	return b.String(), exact
}

// hexDump returns the bytes of a line of --trace, which also has them as text. It returns
// nil for other lines.
func hexDump(line string) []byte {
	const column = 3 * 16
	digits := hexBytes.FindString(line)
	if len(digits) == 0 || len(line) != column+len(digits)/3 || strings.Trim(line[len(digits):column], " ") != "" {
		return nil
	}
	bytes, _ := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	return bytes
}
