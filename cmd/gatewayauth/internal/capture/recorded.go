package capture

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// Recorded is what a verifier wrote in front of a refused request that it kept in a file.
// See package core/capture.
type Recorded struct {
	Code        string    `json:"code"`
	Environment string    `json:"environment"`
	Mode        string    `json:"mode"`
	At          time.Time `json:"at"`
	Error       string    `json:"error,omitempty"`
	Hint        string    `json:"hint,omitempty"`
	// ByAdapter is true if the adapter or the proxy refused the request itself.
	ByAdapter bool `json:"by_adapter,omitempty"`
	// Withheld are the headers and parameters of the query whose values are not in the file.
	Withheld []string `json:"withheld,omitempty"`
}

var (
	recordedLine = regexp.MustCompile(`^# (?:refused|would be refused): ([a-z_]+) in environment (.*), mode ([a-z]+), at (\S+)$`)
	withheldLine = regexp.MustCompile(`^# withheld, [^:]*: (.+)$`)
)

// recorded returns what is in front of a kept request, the notes on its body, and the
// request. It returns nil for other data.
func recorded(data []byte) (r *Recorded, notes []string, request []byte) {
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	m := recordedLine.FindSubmatch(bytes.TrimSuffix(line, []byte("\r")))
	if m == nil {
		return nil, nil, data
	}
	at, err := time.Parse(time.RFC3339, string(m[4]))
	if err != nil {
		return nil, nil, data
	}
	r = &Recorded{Code: string(m[1]), Environment: string(m[2]), Mode: string(m[3]), At: at}
	for bytes.HasPrefix(rest, []byte("#")) {
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		text := strings.TrimSuffix(string(line), "\r")
		if after, ok := strings.CutPrefix(text, "# error: "); ok {
			r.Error = after
		}
		if after, ok := strings.CutPrefix(text, "# what to do: "); ok {
			r.Hint = after
		}
		r.ByAdapter = r.ByAdapter || strings.HasPrefix(text, "# The adapter ")
		if m := withheldLine.FindStringSubmatch(text); m != nil {
			r.Withheld = strings.Split(m[1], ", ")
		}
		if strings.HasPrefix(text, "# The body ") {
			notes = append(notes, strings.TrimPrefix(text, "# "))
		}
	}
	return r, notes, bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte("\r")), []byte("\n"))
}
