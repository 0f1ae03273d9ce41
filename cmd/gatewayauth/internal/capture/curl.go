package capture

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// The options of curl that matter to a request, by their short names.
var curlShort = map[byte]string{'X': "request", 'H': "header", 'd': "data", 'u': "user", 'G': "get", 'I': "head",
	'A': "user-agent", 'e': "referer", 'b': "cookie", 'F': "form", 'T': "upload-file", 'K': "config", 'x': "proxy",
	'o': "output", 'm': "max-time", 'w': "write-out", 'D': "dump-header", 'c': "cookie-jar", 'E': "cert", 'r': "range", 'C': "continue-at", 'y': "speed-time", 'Y': "speed-limit", 'z': "time-cond", 'U': "proxy-user", 'Q': "quote", 'P': "ftp-port", 't': "telnet-option"}

// curlValue are those that take a value and mean nothing for what is signed.
var curlValue = strings.Fields(`output max-time write-out dump-header cookie-jar cert key cacert capath connect-timeout
	retry retry-delay retry-max-time proxy proxy-user resolve connect-to interface limit-rate trace trace-ascii stderr
	ciphers tls-max cert-type key-type pass noproxy speed-time speed-limit unix-socket max-redirs local-port dns-servers`)

// curlRefused change the request in ways that are not told by the command alone.
var curlRefused = strings.Fields(`form form-string upload-file config range continue-at time-cond aws-sigv4 oauth2-bearer next variable quote ftp-port telnet-option expand-url url-query`)

type curl struct {
	*strings.Builder // the data
	method, url      string
	headers          [][2]string
	removed          map[string]bool
	hasData          bool
	get, head, asIs  bool
	notes            []string
	open             func(string) (io.ReadCloser, error)
}

// parseCurl reads a command of curl as browsers and people write it, and makes
// of it the request that curl would send.
func parseCurl(text string, open func(string) (io.ReadCloser, error)) (*Captured, error) {
	args, err := words(text)
	if err != nil {
		return nil, err
	}
	for len(args) > 0 && (args[0] == "$" || args[0] == "%" || args[0] == ">") {
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, errors.New("there is no command")
	}
	p := &curl{Builder: &strings.Builder{}, removed: map[string]bool{}, open: open}
	if err := p.arguments(args[1:]); err != nil {
		return nil, err
	}
	return p.request()
}

func (p *curl) arguments(args []string) error {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		next := func() (string, error) {
			if len(args) == 0 {
				return "", fmt.Errorf("%.20s needs a value", arg)
			}
			value := args[0]
			args = args[1:]
			return value, nil
		}
		switch {
		case strings.HasPrefix(arg, "--") && len(arg) > 2:
			if err := p.option(arg[2:], next); err != nil {
				return err
			}
		case strings.HasPrefix(arg, "-") && len(arg) > 1 && arg != "--":
			for i := 1; i < len(arg); i++ {
				name, known := curlShort[arg[i]]
				if !known {
					continue // -s, -k, -v and the like
				}
				rest, took := arg[i+1:], false
				value := func() (string, error) {
					took = true
					if rest != "" {
						return rest, nil
					}
					return next()
				}
				if err := p.option(name, value); err != nil {
					return err
				}
				if took {
					break
				}
			}
		case p.url == "":
			p.url = arg
		default:
			return errors.New("the command has more than one URL")
		}
	}
	return nil
}

func (p *curl) option(name string, value func() (string, error)) error {
	switch name {
	case "get":
		p.get = true
		return nil
	case "head":
		p.head = true
		return nil
	case "path-as-is":
		p.asIs = true
		return nil
	}
	takes := slices.Contains(curlValue, name)
	switch name {
	case "request", "header", "data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json", "user",
		"user-agent", "referer", "cookie", "url":
		takes = true
	}
	if slices.Contains(curlRefused, name) {
		return fmt.Errorf("the option --%s of curl is not supported: what it sends is not told by the command. Save the request itself", name)
	}
	if strings.Contains(name, "=") {
		return errors.New("an option of curl has its value in the next word, and not after =")
	}
	if !takes {
		return nil // a switch
	}
	text, err := value()
	if err != nil {
		return err
	}
	switch name {
	case "request":
		p.method = text
	case "url":
		if p.url != "" {
			return errors.New("the command has more than one URL")
		}
		p.url = text
	case "header":
		p.header(text)
	case "user-agent":
		p.headers = append(p.headers, [2]string{"User-Agent", text})
	case "referer":
		p.headers = append(p.headers, [2]string{"Referer", text})
	case "cookie":
		if !strings.Contains(text, "=") {
			return errors.New("cookies in a file are not supported; give the header Cookie")
		}
		p.headers = append(p.headers, [2]string{"Cookie", text})
	case "user":
		if !strings.Contains(text, ":") {
			return errors.New("--user has no password")
		}
		p.headers = append(p.headers, [2]string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(text))})
	case "data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json":
		return p.data(name, text)
	}
	return nil
}

func (p *curl) header(text string) {
	name, value, found := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	switch {
	case found && value == "":
		p.removed[strings.ToLower(name)] = true
	case found:
		p.headers = append(p.headers, [2]string{name, value})
	case strings.HasSuffix(text, ";"):
		p.headers = append(p.headers, [2]string{strings.TrimSuffix(text, ";"), ""})
	}
}

func (p *curl) data(option, text string) error {
	if p.hasData && option != "json" {
		p.WriteByte('&')
	}
	p.hasData = true
	name, file, isFile := "", "", false
	switch option {
	case "data-raw":
	case "data-urlencode":
		if at := strings.IndexAny(text, "=@"); at >= 0 {
			name, isFile = text[:at], text[at] == '@'
			text = text[at+1:]
			file = text
			if name != "" {
				name += "="
			}
		}
	default:
		file, isFile = strings.CutPrefix(text, "@")
	}
	if isFile {
		if p.open == nil {
			return errors.New("the command reads its data from a file, which is not opened here: save the request itself")
		}
		in, err := p.open(file)
		if err != nil {
			return fmt.Errorf("the data of the command: %w", err)
		}
		defer in.Close()
		content, err := io.ReadAll(io.LimitReader(in, MaxSize+1))
		if err != nil {
			return fmt.Errorf("the data of the command: %w", err)
		}
		if text = string(content); option == "data" || option == "data-ascii" {
			text = strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(text)
		}
		p.notes = append(p.notes, fmt.Sprintf("%d bytes of data were read from the file that the command names, as it is now", len(content)))
	}
	if option == "data-urlencode" {
		text = name + strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	}
	if option == "json" {
		for _, name := range []string{"Content-Type", "Accept"} {
			if !p.has(name) {
				p.headers = append(p.headers, [2]string{name, "application/json"})
			}
		}
	}
	if p.Len()+len(text) > MaxSize {
		return errors.New("the data are larger than 16 MiB")
	}
	p.WriteString(text)
	return nil
}

func (p *curl) has(name string) bool {
	for _, h := range p.headers {
		if strings.EqualFold(h[0], name) {
			return true
		}
	}
	return p.removed[strings.ToLower(name)]
}
