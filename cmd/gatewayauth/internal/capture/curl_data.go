package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
)

// input is the standard input of a command.
type input struct {
	known bool
	text  string
	file  string // the name of the file that the shell reads
	why   string // why the content is unknown
}

// read returns the content of a file that the command names.
func (p *curl) read(name string) ([]byte, error) {
	if slices.Contains([]string{"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}, name) {
		in := p.stdin
		p.stdin = input{why: "was read already"}
		switch {
		case in.known:
			return []byte(in.text), nil
		case in.file == "" && in.why == "":
			return nil, errors.New("the command reads its data from standard input, which the text does not contain: write the data in place of @-")
		case in.file == "":
			return nil, fmt.Errorf("the command reads its data from standard input, which %s: write the data in place of @-", in.why)
		}
		name = in.file
	}
	if p.open == nil {
		return nil, errors.New("the command reads from a file, which is not opened here: save the request itself")
	}
	in, err := p.open(name)
	if err != nil {
		return nil, fmt.Errorf("a file of the command: %w", err)
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("a file of the command: %w", err)
	}
	if len(content) > MaxSize {
		return nil, errors.New("a file of the command is larger than 16 MiB")
	}
	p.note("%d bytes of data were read from the file that the command names, with its current content", len(content))
	return content, nil
}

// addData applies one of the options --data and --json.
func (p *curl) addData(option, text string) error {
	var piece []byte
	file, isFile := strings.CutPrefix(text, "@")
	var err error
	switch {
	case option == "data-urlencode":
		piece, err = p.urlEncoded(text)
	case isFile && option != "data-raw":
		if piece, err = p.read(file); option == "data" || option == "data-ascii" {
			piece = bytes.Map(func(r rune) rune {
				if r == '\r' || r == '\n' || r == 0 {
					return -1
				}
				return r
			}, piece)
		}
	default:
		piece = []byte(text)
	}
	if err != nil {
		return err
	}
	p.json = p.json || option == "json"
	if p.hasData && option != "json" {
		if len(p.data) == 0 {
			return errors.New("the first data are empty, and versions of curl differ in whether they send a & after it: give all data in one option")
		}
		p.data = append(p.data, '&')
	}
	p.hasData = true
	if p.data = append(p.data, piece...); len(p.data) > MaxSize {
		return errors.New("the data are larger than 16 MiB")
	}
	return nil
}

// urlEncoded is content, =content, name=content, @file or name@file. Only the
// content is encoded.
func (p *curl) urlEncoded(text string) ([]byte, error) {
	name, content, found := strings.Cut(text, "=")
	switch {
	case found:
	case strings.Contains(text, "@"):
		var file string
		name, file, _ = strings.Cut(text, "@")
		data, err := p.read(file)
		if err != nil {
			return nil, err
		}
		if content = string(data); content == "" {
			return nil, nil
		}
	default:
		name, content = "", text
	}
	encoded := url.QueryEscape(content)
	if name != "" {
		encoded = name + "=" + encoded
	}
	return []byte(encoded), nil
}

func (p *curl) urlQuery(text string) error {
	piece, isRaw := strings.CutPrefix(text, "+")
	if !isRaw {
		encoded, err := p.urlEncoded(text)
		if err != nil {
			return err
		}
		piece = string(encoded)
	}
	if p.query != nil {
		piece = *p.query + "&" + piece
	}
	if p.query = &piece; len(piece) > MaxSize {
		return errors.New("the query is larger than 16 MiB")
	}
	return nil
}

func (p *curl) uploadFile(name string) error {
	switch {
	case p.upload != nil:
		return errors.New("--upload-file is given twice, so curl sends more than one request: keep only one")
	case name == "-" || name == ".":
		return errors.New("--upload-file sends standard input, which is not supported: save the request itself")
	case name == "" || strings.ContainsAny(name, "{}[]"):
		return errors.New("--upload-file must name exactly one file")
	}
	content, err := p.read(name)
	if err != nil {
		return err
	}
	text := string(content)
	p.upload, p.uploadName = &text, path.Base(strings.ReplaceAll(name, `\`, "/"))
	return nil
}

// header applies the value of -H.
func (p *curl) header(text string) error {
	file, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		p.headers = append(p.headers, text)
		return nil
	}
	content, err := p.read(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && line[0] != '#' {
			p.headers = append(p.headers, line)
		}
	}
	return nil
}
