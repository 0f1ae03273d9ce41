package servicelog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what a record tells.
type Kind int

// The kinds of records of a verifier.
const (
	Other       Kind = iota // seen, and of no meaning for the sums
	Accepted                // a request that was verified
	Open                    // a request on an open API
	WouldRefuse             // a request that enforce would have refused
	Refused                 // a request that was refused
	Started                 // a policy of mode report or off took effect
	Lost                    // a record could not be written
)

// A Record is one record of a verifier. See core.Event for its fields.
type Record struct {
	Kind    Kind
	Time    time.Time // zero where the log does not tell
	Message string
	// Count is the number of requests: more than one for the record that sums up
	// those that came too fast for records of their own, which is Summed.
	Count  int64
	Summed bool

	Code, Error, Environment, Mode, API, Scheme, Algorithm, Key, KeyID, Method, Host, Path, Remote string
	Skew                                                                                           time.Duration
}

// messages are those of core, the refusals first: where two are found in one
// record, that of a refusal counts.
var messages = []struct {
	text   string
	kind   Kind
	mode   string // the mode that the message implies
	summed bool
}{
	{"request would be refused", WouldRefuse, "report", false},
	{"requests refused; their records were too many", WouldRefuse, "", true},
	{"request refused", Refused, "enforce", false},
	{"requests verified, but for replay; their records were too many", Accepted, "", true},
	{lostMessage, Lost, "", false},
	{"request verified", Accepted, "", false},
	{"request on an open API", Open, "", false},
	{"gatewayauth: requests that are not verified are let through", Started, "", false},
}

const lostMessage = "panic in the application's log handler"

// refusals are in the records that must not be missed.
var refusals = []string{"request would be refused", "their records were too many"}

func mentionsRefusal(text string) bool {
	return slices.ContainsFunc(refusals, func(m string) bool { return strings.Contains(text, m) })
}

// codes are those that a record without a known message is recognised by.
var codes = []string{"credential_missing", "credential_malformed", "scheme_not_accepted", "key_unknown", "signature_mismatch",
	"signature_expired", "signature_not_yet_valid", "header_not_signed", "payload_not_signed", "payload_unsupported",
	"body_mismatch", "replayed", "throttled", "key_not_bound", "request_ambiguous", "host_not_ours", "body_too_large", "unavailable"}

var (
	modes    = []string{"enforce", "report", "off"}
	codeForm = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
)

// records returns the records of a verifier in an object: one for each group that
// has the fields of a verdict. Unclear says why it looks like one that cannot be
// read; it is "" for those of somebody else.
func (o *object) records() (all []Record, unclear string) {
	groups := o.groups()
	verdicts := slices.DeleteFunc(slices.Clone(groups), func(g own) bool { return !g.verdict() })
	if len(verdicts) == 0 && len(groups) > 0 {
		// The group that has the most of a verifier's fields.
		verdicts = append(verdicts, slices.MaxFunc(groups, func(a, b own) int { return a.weight() - b.weight() }))
	}
	at := o.when()
	for _, g := range verdicts {
		g.Time, g.Message = at, o.message(g.group)
		if g.read() {
			all = append(all, g.Record)
		}
	}
	if len(all) == 0 && strings.Contains(o.message(""), lostMessage) {
		all = append(all, Record{Kind: Lost, Time: at, Message: lostMessage, Count: 1})
	}
	if len(all) == 0 {
		unclear = o.suspicion()
	}
	return all, unclear
}

// complete reports whether a record has what its kind needs, and sets the number of
// requests.
func (r *Record) complete(suppressed string) bool {
	if r.Summed {
		n, err := strconv.ParseInt(suppressed, 10, 64)
		if err != nil || n <= 0 {
			return false
		}
		r.Count = n
	}
	if r.Kind == WouldRefuse && r.Mode != "report" {
		r.Kind = Refused
	}
	switch r.Kind {
	case WouldRefuse, Refused:
		return r.Mode != "" && r.Code != ""
	case Accepted, Open, Started:
		return r.Mode != "" && r.Environment != ""
	}
	return true
}

// chosen are the fields whose text the caller chose, or that quote it.
var chosen = []string{"path", "host", "method", "remote", "keyid", "error"}

// message returns the verifier's message for the fields of a group: in the words
// around them, in the group, in those around it, or anywhere.
func (o *object) message(group string) string {
	best, rank := "", 0
	consider := func(text string, near int) {
		if i := known(text); i > 0 && near+i > rank {
			best, rank = text, near+i
		}
	}
	consider(o.head, 100)
	for _, f := range o.fields {
		if slices.Contains(chosen, f.name) || len(f.value) > 256 || strings.ContainsAny(f.value, "={") {
			continue // the caller's text, or a line that is in an envelope
		}
		near := 0
		if f.group == "" || f.group == group || strings.HasPrefix(group, f.group+".") {
			near = 100
		}
		consider(f.value, near)
	}
	return best
}

// known ranks texts that hold a message of a verifier, refusals highest; 0 is none.
func known(text string) int {
	for i, m := range messages {
		if strings.Contains(text, m.text) {
			return 2 + len(messages) - i
		}
	}
	if strings.HasPrefix(text, "gatewayauth: ") {
		return 1
	}
	return 0
}

// suspicion says why an object that is no record looks like one of a verifier.
func (o *object) suspicion() string {
	has := map[string]bool{}
	for _, f := range o.fields {
		if f.name == missing {
			return "journalctl has left out a long message: give it --all"
		}
		value := strings.ToLower(f.value)
		switch {
		case f.name == "mode":
			has[f.name] = slices.Contains(modes, value)
		default:
			has[f.name] = true
		}
		if strings.Contains(value, "_") && slices.Contains(codes, value) {
			return "it has a code of a verifier, and lacks other fields of its records"
		}
	}
	if i := known(o.message("")); i > 1 {
		return "it has a message of a verifier, and lacks fields of its records"
	}
	if has["mode"] && has["environment"] && (has["code"] || has["suppressed"] || has["method"] && has["path"]) {
		return "it has fields of a verifier's records, and lacks others"
	}
	return ""
}

// duration reads nanoseconds, and a duration as Go writes it.
func duration(text string) time.Duration {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(n)
	}
	d, _ := time.ParseDuration(text)
	return d
}
