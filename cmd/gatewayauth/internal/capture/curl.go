package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

const copyAsCurl = "copy it as cURL (bash) or cURL (cmd) instead"

// curl is the state while a curl command is parsed.
type curl struct {
	open  func(string) (io.ReadCloser, error)
	stdin input
	notes []string

	urls                       []string
	info                       bool // the command prints help or the version
	method, target, scheme     string
	headers                    []string // the values of -H
	agent, referer, byteRange  *string
	user, bearer               *string
	cookies                    []string
	data                       []byte
	hasData, json              bool
	query                      *string // the values of --url-query
	upload                     *string
	uploadName                 string
	get, head, asIs, globOff   bool
	compressed, teHeader, crlf bool
	http10, http2              bool
	chunked                    bool // the body is sent in chunks
}

// parseCurl parses shell commands as browsers and people write them, and returns the
// request that the one that calls curl would send.
func parseCurl(text string, open func(string) (io.ReadCloser, error)) (*Captured, error) {
	all, notes, err := commands(text)
	if err != nil {
		return nil, err
	}
	var found, idle []*curl
	var failed error
	for _, c := range all {
		args, ok := curlArguments(c.words)
		if !ok && failed == nil && len(found) > 0 && len(c.words) > 0 && strings.HasPrefix(c.words[0], "-") {
			return nil, fmt.Errorf("a line begins with the option %s: end each line of the command except the last with a \\", optionName(c.words[0]))
		}
		if !ok {
			continue
		}
		p := &curl{open: open, stdin: c.stdin}
		err := c.err
		if err == nil {
			err = p.arguments(args)
		}
		switch {
		case err != nil:
			failed = err
			found = append(found, p)
		case p.info || len(p.urls) == 0:
			idle = append(idle, p)
		default:
			found = append(found, p)
		}
	}
	switch {
	case len(found) > 1:
		return nil, fmt.Errorf("the text has %d curl commands: give only the one whose request is to be explained", len(found))
	case failed != nil:
		return nil, failed
	case len(found) == 0 && len(idle) > 0:
		return nil, errors.New("the command has no URL")
	case len(found) == 0:
		return nil, errors.New("the text has no curl command")
	}
	p := found[0]
	if len(all) > 1 {
		p.note("the text has %d commands: only the curl command that sends a request is read", len(all))
	}
	c, err := p.request()
	if err != nil {
		return nil, err
	}
	if breaks := strings.Count(text, "\r\n"); bytes.IndexByte(c.Body, '\n') >= 0 && breaks > 0 && breaks == strings.Count(text, "\n") {
		p.note("the line breaks of the text are CR LF; those within the data are read as LF")
	}
	c.Notes = append(append(c.Notes, notes...), p.notes...)
	return c, nil
}

// starters run the command that follows them.
var starters = strings.Fields("sudo doas time env exec nohup command nice ionice timeout stdbuf setsid unbuffer watch winpty call start cmd wsl noglob builtin " +
	"proxychains proxychains4 torsocks strace ltrace docker podman nerdctl kubectl oc run run: -")

// optionName returns the name of an option without its value.
func optionName(word string) string {
	if strings.HasPrefix(word, "--") {
		name, _, _ := strings.Cut(word, "=")
		return name
	}
	return word[:min(len(word), 2)]
}

// curlArguments returns the words after curl.
func curlArguments(words []string) ([]string, bool) {
	for i, w := range words {
		name := strings.ToLower(strings.TrimPrefix(path.Base(strings.ReplaceAll(w, `\`, "/")), "@")) // as in a Makefile
		if name == "curl" || name == "curl.exe" {
			return words[i+1:], true
		}
		if i == 0 && !slices.Contains(starters, strings.TrimSuffix(name, ".exe")) {
			return nil, false
		}
	}
	return nil, false
}

// scriptOf returns the script of a command such as sh -c 'curl ...'.
func scriptOf(words []string) (string, bool) {
	for i, w := range words {
		if slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh"}, path.Base(w)) && len(words) == i+3 &&
			strings.HasPrefix(words[i+1], "-") && strings.HasSuffix(words[i+1], "c") {
			return words[i+2], true
		}
		if i == 0 && !slices.Contains(starters, w) {
			break
		}
	}
	return "", false
}

func (p *curl) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// option applies one option; on is false for the form --no-name.
func (p *curl) option(o *option, on bool, value func() (string, error)) error {
	switch {
	case o.name == "help" || o.name == "version" || o.name == "manual":
		p.info = p.info || on
		return nil
	case o.refused && on:
		return fmt.Errorf("the option --%s of curl is not supported, because the command does not show what it sends: save the request itself", o.name)
	case !o.takesValue:
		p.set(o.name, on)
		if o.name == "next" {
			return errors.New("the command sends more than one request, because of --next: give only the one to be explained")
		}
		return nil
	}
	text, err := value()
	if err != nil || o.ignored {
		return err
	}
	return p.value(o.name, text)
}

func (p *curl) set(name string, on bool) {
	switch name {
	case "get":
		p.get = on
	case "head":
		p.head = on
	case "path-as-is":
		p.asIs = on
	case "globoff":
		p.globOff = on
	case "compressed":
		p.compressed = on
	case "tr-encoding":
		p.teHeader = on
	case "crlf", "use-ascii":
		p.crlf = on
	case "http1.0", "http1.1", "http2":
		p.http10, p.http2 = name == "http1.0", name == "http2"
	}
}

func (p *curl) value(name, text string) error {
	switch name {
	case "request":
		if p.method = text; text == "" {
			return errors.New("--request has an empty method: give one such as POST")
		}
	case "request-target":
		p.target = text
	case "proto-default":
		p.scheme = text
	case "url":
		if strings.HasPrefix(text, "@") {
			return errors.New("--url reads URLs from a file, which is not supported; give the URL")
		}
		p.urls = append(p.urls, text)
	case "header":
		return p.header(text)
	case "user-agent":
		p.agent = &text
	case "referer":
		text = strings.TrimSuffix(text, ";auto")
		p.referer = &text
	case "cookie":
		switch {
		case strings.HasPrefix(text, "@") || !strings.Contains(text, "=") && text != "":
			return errors.New("--cookie names a file of cookies, which is not supported; give the header Cookie")
		case text != "":
			p.cookies = append(p.cookies, text)
		}
	case "user":
		if !strings.Contains(text, ":") {
			return errors.New("--user has no password: curl asks for it")
		}
		p.user = &text
	case "oauth2-bearer":
		p.bearer = &text
	case "range":
		if strings.Trim(text, "0123456789") == "" && text != "" {
			text += "-"
		}
		p.byteRange = &text
	case "upload-file":
		return p.uploadFile(text)
	case "url-query":
		return p.urlQuery(text)
	default:
		return p.addData(name, text)
	}
	return nil
}
