package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	// maxReply is the largest answer in bytes. Without the list of services
	// one has a few thousand.
	maxReply = 256 << 10
	// maxLifetime is what a token may live at most to be believed: they live
	// for hours.
	maxLifetime = 31 * 24 * time.Hour
	maxDepth    = 16
)

// Errors of an answer's form. None holds text of it: it may repeat the token.
var (
	errTooLarge    = errors.New("the answer is larger than 256 KiB")
	errContentType = errors.New("the answer is not application/json")
	errJSON        = errors.New("the answer is not one JSON object in UTF-8")
	errDuplicate   = errors.New("the answer names a member of an object twice")
	errMember      = errors.New("the answer lacks a member of the token, or has one of another type")
	errExpiry      = errors.New("expires_at in the answer is not a date of RFC 3339, or is more than 31 days ahead")
	errExpired     = errors.New("the token has expired")
)

// parseReply reads the answer to a check or to a log-in: the token's end and
// subject. Only this form counts as an answer; [errExpired] comes with one that
// is right in form.
func parseReply(header http.Header, body []byte, now time.Time) (*subject, error) {
	if !isJSON(header) {
		return nil, errContentType
	}
	if len(body) > maxReply {
		return nil, errTooLarge
	}
	root, err := decode(body)
	if err != nil {
		return nil, err
	}
	token, err := object(root, "token", true)
	if err != nil {
		return nil, err
	}
	s := &subject{attributes: map[string][]string{}}
	if s.expires, err = parseExpiry(token["expires_at"], now); err != nil {
		return nil, err
	}
	user, err := object(token, "user", true)
	if err != nil {
		return nil, err
	}
	domain, err := object(user, "domain", false)
	if err != nil {
		return nil, err
	}
	project, err := object(token, "project", false)
	if err != nil {
		return nil, err
	}
	for _, member := range []struct {
		of       map[string]any
		name     string
		required bool
		as       string
	}{
		{user, "id", true, UserID}, {user, "name", false, UserName}, {domain, "id", false, UserDomainID},
		{project, "id", project != nil, ProjectID}, {project, "name", false, ProjectName},
	} {
		value, present := member.of[member.name]
		text, isText := value.(string)
		if present && !isText || member.required && text == "" {
			return nil, badMember(member.as)
		}
		if present {
			s.attributes[member.as] = []string{text}
		}
	}
	s.projectID, _ = project["id"].(string)
	roles, err := parseRoles(token)
	if err != nil {
		return nil, err
	}
	s.attributes[Roles] = roles
	s.attributes[ExpiresAt] = []string{s.expires.UTC().Format(time.RFC3339)}
	if !s.expires.After(now) {
		return s, errExpired
	}
	return s, nil
}

func isJSON(header http.Header) bool {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && media == "application/json" && len(header["Content-Type"]) == 1
}

func parseExpiry(value any, now time.Time) (time.Time, error) {
	text, ok := value.(string)
	if !ok {
		return time.Time{}, errExpiry
	}
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil || expires.Sub(now) > maxLifetime {
		return time.Time{}, errExpiry
	}
	return expires, nil
}

func parseRoles(token map[string]any) ([]string, error) {
	value, present := token["roles"]
	list, ok := value.([]any)
	if present && !ok {
		return nil, badMember("roles")
	}
	var roles []string
	for _, item := range list {
		role, _ := item.(map[string]any)
		name, _ := role["name"].(string)
		if name == "" {
			return nil, badMember("name of a role")
		}
		roles = append(roles, name)
	}
	return roles, nil
}

func badMember(name string) error { return fmt.Errorf("%w: %s", errMember, name) }

// object returns a member that is an object, nil where it is absent and need
// not be there.
func object(of map[string]any, name string, required bool) (map[string]any, error) {
	value, present := of[name]
	if !present && !required {
		return nil, nil
	}
	found, ok := value.(map[string]any)
	if !ok {
		return nil, badMember(name)
	}
	return found, nil
}

// decode reads one JSON object. Of a member that occurs twice, readers take
// the first or the last as they like, so there is none to be taken.
func decode(body []byte) (map[string]any, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	value, err := decodeValue(d, maxDepth)
	if err != nil {
		return nil, err
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, errJSON
	}
	return root, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	next, err := d.Token()
	if err != nil || depth == 0 {
		return nil, errJSON
	}
	switch next {
	case json.Delim('{'):
		members := map[string]any{}
		for d.More() {
			name, err := d.Token()
			text, ok := name.(string)
			if err != nil || !ok {
				return nil, errJSON
			}
			if _, twice := members[text]; twice {
				return nil, errDuplicate
			}
			if members[text], err = decodeValue(d, depth-1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return members, err
	case json.Delim('['):
		items := []any{}
		for d.More() {
			item, err := decodeValue(d, depth-1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		_, err = d.Token()
		return items, err
	}
	return next, nil
}
