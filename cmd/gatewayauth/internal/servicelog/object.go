package servicelog

import (
	"slices"
	"strings"
	"time"
)

// A field is a scalar with the names of its groups, joined by dots, and its own name.
type field struct{ group, name, value string }

// An object is a possible record: its fields in the order of the text, and the words around
// them.
type object struct {
	fields []field
	head   string
	time   time.Time // the time of the envelope
}

// named returns a field for a name that may include groups, such as auth.code.
func named(group, name, value string) field {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		group, name = join(group, name[:i]), name[i+1:]
	}
	return field{group, plain(name), value}
}

func join(group, name string) string {
	if group == "" {
		return name
	}
	return group + "." + name
}

// plain normalizes a name for comparison: keyId, KEY_ID and key-id become key_id.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// own has the fields of a group that a verifier writes.
type own struct {
	Record
	group, suppressed, secret string
	fields                    int
}

// groups returns the groups with fields of a verifier. If a group has a field twice, the
// first one is the application's.
func (o *object) groups() (all []own) {
	for _, f := range o.fields {
		i := slices.IndexFunc(all, func(g own) bool { return g.group == f.group })
		if i < 0 && len(all) >= maxGroups {
			continue
		}
		if i < 0 {
			i = len(all)
			all = append(all, own{group: f.group, Record: Record{Count: 1}})
		}
		all[i].set(f.name, f.value)
	}
	return slices.DeleteFunc(all, func(g own) bool { return g.fields == 0 })
}

// maxGroups is the largest number of groups that are read from one record.
const maxGroups = 100

func (g *own) set(name, value string) {
	g.fields++
	switch name {
	case "code":
		// The application may also have a field of this name.
		if lower := strings.ToLower(value); codeForm.MatchString(lower) && (g.Code == "" || slices.Contains(codes, lower)) {
			g.Code = lower
		}
	case "mode":
		if lower := strings.ToLower(value); slices.Contains(modes, lower) {
			g.Mode = lower
		}
	case "error":
		g.Error = value
	case "environment":
		g.Environment = value
	case "api":
		g.API = value
	case "scheme":
		g.Scheme = value
	case "algorithm":
		g.Algorithm = value
	case "key":
		g.Key = value
	case "keyid":
		g.KeyID = value
	case "method":
		g.Method = value
	case "host":
		g.Host = value
	case "path":
		g.Path = value
	case "remote":
		g.Remote = value
	case "secret":
		g.secret = value
	case "suppressed":
		g.suppressed = value
	case "skew":
		g.Skew = duration(value)
	default:
		g.fields--
		g.detail(name, value)
	}
}

// detail sets the fields that only some records have. Applications use the same names, so
// they do not show that a group is a verifier's.
func (r *Record) detail(name, value string) {
	switch name {
	case "header":
		r.Header = value
	case "apikey":
		r.APIKey = value
	case "size":
		r.Size = value
	case "limit":
		r.Limit = value
	case "hint":
		r.Hint = value
	case "doc":
		r.Doc = value
	}
}

// verdict reports whether a group has the fields of every record of a request.
func (g own) verdict() bool {
	return g.Mode != "" && g.Environment != "" && (slices.Contains(codes, g.Code) || g.Method != "")
}

func (g own) weight() int {
	weight := g.fields
	if g.Mode != "" {
		weight += 20
	}
	if slices.Contains(codes, g.Code) {
		weight += 10
	}
	return weight
}

// read determines the kind of the record, and reports whether the record can be parsed. A
// handler may have renamed the fields that slog adds (time, level, message), so the kind
// follows from the verifier's own fields, and from the message if it is the verifier's.
func (g *own) read() bool {
	for _, m := range messages {
		if !strings.Contains(g.Message, m.text) {
			continue
		}
		g.Kind, g.Summed = m.kind, m.summed
		if g.Mode == "" {
			g.Mode = m.mode
		}
		return g.complete(g.suppressed)
	}
	// The message is missing or was replaced.
	switch {
	case g.Mode != "" && slices.Contains(codes, g.Code):
		g.Kind, g.Summed = WouldRefuse, g.suppressed != ""
	case g.verdict() && g.Code == "" && g.Error == "" && g.Key != "" && g.secret != "":
		g.Kind = Accepted
	default:
		return g.Message != "" // gatewayauth: ...
	}
	return g.complete(g.suppressed)
}
