package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// Event is a record of the verifier's log, as slog's JSON handler writes it. It
// holds the verdict, and neither headers nor query nor body.
type Event struct {
	Time        time.Time     `json:"time"`
	Level       string        `json:"level"`
	Message     string        `json:"msg"`
	Code        string        `json:"code"`
	Error       string        `json:"error"`
	Environment string        `json:"environment"`
	Mode        string        `json:"mode"`
	API         string        `json:"api"`
	Scheme      string        `json:"scheme"`
	Algorithm   string        `json:"algorithm"`
	Key         string        `json:"key"`
	KeyID       string        `json:"key_id"`
	Method      string        `json:"method"`
	Host        string        `json:"host"`
	Path        string        `json:"path"`
	Remote      string        `json:"remote"`
	Skew        time.Duration `json:"skew"`
	Suppressed  int64         `json:"suppressed"`
}

// ParseEvent reads one line of the log.
func ParseEvent(line []byte) (*Event, error) {
	e := &Event{}
	if err := json.Unmarshal(line, e); err != nil {
		return nil, errors.New("this is not a record as slog's JSON handler writes it")
	}
	return e, nil
}

func parseEvent(data []byte) (*Captured, error) {
	line, rest, _ := bytes.Cut(bytes.TrimSpace(data), []byte("\n"))
	e, err := ParseEvent(line)
	if err != nil {
		if e, err = ParseEvent(data); err != nil { // one record over several lines
			return nil, err
		}
		rest = nil
	}
	if e.Message == "" || e.Mode == "" && e.Code == "" {
		return nil, errors.New("this is JSON, and neither a HAR file nor a record of the verifier's log")
	}
	c := &Captured{Event: e, At: e.Time}
	if len(bytes.TrimSpace(rest)) > 0 {
		c.note("there are several records: only the first is looked at; check --report sums up a whole log")
	}
	return c, nil
}
