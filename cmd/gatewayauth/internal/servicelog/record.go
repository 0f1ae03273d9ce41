package servicelog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is the kind of a record.
type Kind int

// The kinds of records of a verifier.
const (
	Other       Kind = iota // a record that is not counted
	Accepted                // a request that was verified
	Open                    // a request on an open API
	WouldRefuse             // a request in report mode that enforce would have refused, or that guard refused itself
	Refused                 // a request in another mode that was refused
	Started                 // a policy of mode report or off took effect
	Lost                    // a record could not be written
)

// A Record is one record of a verifier. See core.Event for its fields.
type Record struct {
	Kind    Kind
	Time    time.Time // zero if the log does not have it
	Message string
	// Count is the number of requests. It may be more than one for a summary record, which
	// replaces records that exceed the rate limit of the log. Summed marks such a record.
	Count  int64
	Summed bool

	Code, Error, Environment, Mode, API, APIKey, Scheme, Algorithm, Key, KeyID string
	Method, Host, Path, Remote, Header, Size, Limit, Hint, Doc                 string
	Skew                                                                       time.Duration
}

// messages are the messages of core, refusals first: if a record has two of them, the
// refusal counts.
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

// refusals are in the messages of records that must not be missed.
var refusals = []string{"request would be refused", "their records were too many"}

func mentionsRefusal(text string) bool {
	return slices.ContainsFunc(refusals, func(m string) bool { return strings.Contains(text, m) })
}

// codes are the codes by which a record without a known message is recognized.
var codes = []string{"credential_missing", "credential_malformed", "scheme_not_accepted", "key_unknown", "signature_mismatch",
	"signature_expired", "signature_not_yet_valid", "header_not_signed", "payload_not_signed", "payload_unsupported",
	"body_mismatch", "replayed", "throttled", "key_not_bound", "request_ambiguous", "host_not_ours", "body_too_large", "unavailable"}

var (
	modes    = []string{"enforce", "report", "off"}
	codeForm = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
)

// records returns the records of a verifier in an object: one for each group that has the
// fields of a verdict. unclear says why the object may be a record that cannot be parsed.
// It is "" if the object is not a verifier's.
func (o *object) records() (all []Record, unclear string) {
	groups := o.groups()
	verdicts := slices.DeleteFunc(slices.Clone(groups), func(g own) bool { return !g.verdict() })
	if len(verdicts) == 0 && len(groups) > 0 {
		// The group with the most fields of a verifier.
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

// complete reports whether a record has the fields that its kind needs, and sets the
// number of requests.
func (r *Record) complete(suppressed string) bool {
	if r.Summed {
		n, err := strconv.ParseInt(suppressed, 10, 64)
		if err != nil || n <= 0 {
			return false
		}
		r.Count = n
	}
	switch reporting := r.Mode == "report"; {
	case r.Kind == WouldRefuse && !reporting:
		r.Kind = Refused
	case r.Kind == Refused && reporting: // by guard itself, which refuses in every mode
		r.Kind = WouldRefuse
	}
	switch r.Kind {
	case WouldRefuse, Refused:
		return r.Mode != "" && r.Code != ""
	case Accepted, Open, Started:
		return r.Mode != "" && r.Environment != ""
	}
	return true
}

// chosen are the fields whose text the caller chooses, or that quote such text.
var chosen = []string{"path", "host", "method", "remote", "keyid", "error", "header"}

// message returns the verifier's message for the fields of a group. It searches the words
// around them, the group, the groups around it, and then all other fields.
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
			continue // the caller's text, or a line in an envelope
		}
		near := 0
		if f.group == "" || f.group == group || strings.HasPrefix(group, f.group+".") {
			near = 100
		}
		consider(f.value, near)
	}
	return best
}

// known returns the rank of the verifier's message in a text, refusals highest, or 0 if
// there is none.
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

// suspicion says why an object that is not a record may be one of a verifier, or "".
func (o *object) suspicion() string {
	has := map[string]bool{}
	for _, f := range o.fields {
		if f.name == missing {
			return "journalctl has omitted a long message: run it with --all"
		}
		value := strings.ToLower(f.value)
		switch {
		case f.name == "mode":
			has[f.name] = slices.Contains(modes, value)
		default:
			has[f.name] = true
		}
		if strings.Contains(value, "_") && slices.Contains(codes, value) {
			return "it has a verifier's code, and lacks other fields of its records"
		}
	}
	if i := known(o.message("")); i > 1 {
		return "it has a verifier's message, and lacks fields of its records"
	}
	if has["mode"] && has["environment"] && (has["code"] || has["suppressed"] || has["method"] && has["path"]) {
		return "it has fields of a verifier's records, and lacks others"
	}
	return ""
}

// duration parses nanoseconds, or a duration as Go formats it.
func duration(text string) time.Duration {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(n)
	}
	d, _ := time.ParseDuration(text)
	return d
}
