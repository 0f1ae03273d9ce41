package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/capture"
)

// A keptRequest is one file of a folder of kept requests, with the cause that was found.
type keptRequest struct {
	File        string    `json:"file"`
	Time        time.Time `json:"time,omitzero"`
	Code        core.Code `json:"code,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Mode        string    `json:"mode,omitempty"`
	Method      string    `json:"method,omitempty"`
	Host        string    `json:"host,omitempty"`
	Path        string    `json:"path,omitempty"`
	// Verdict is what the file would do with the request now.
	Verdict   string `json:"verdict,omitempty"`
	Explained bool   `json:"explained"`
	// Cause has the causes that were found, joined by " + ", or a reason why there is
	// none. Detail says what happened and what to do, and Signed what was signed.
	Cause  string `json:"cause"`
	Detail string `json:"detail,omitempty"`
	Signed string `json:"as_signed,omitempty"`
	// Error says why the file cannot be read.
	Error string `json:"error,omitempty"`
}

// What stands for the cause where there is none.
const (
	causeNone   = "none found"
	causeNow    = "accepted now"
	causeServer = "answered by the server"
	causeError  = "cannot be read"
)

// A keptFolder is a folder of kept requests. Its files do not change, so each is explained
// once. It can be used by several goroutines at the same time.
type keptFolder struct {
	dir string
	ask func(ctx context.Context, data []byte) (*answer, error)

	mu    sync.Mutex
	known map[string]*keptRequest
}

// read returns the requests, up to most, and explains those that it did not know, until ctx
// ends.
func (f *keptFolder) read(ctx context.Context, most int) (*folderAnswer, error) {
	names, err := capture.Files(f.dir)
	if err != nil {
		return nil, err
	}
	slices.Reverse(names)
	f.mu.Lock()
	defer f.mu.Unlock()
	known := map[string]*keptRequest{} // without the files that are gone
	x := &folderAnswer{Requests: []*keptRequest{}, Left: max(0, len(names)-most)}
	for _, path := range names[:min(len(names), most)] {
		name := filepath.Base(path)
		kept := f.known[name]
		if kept == nil && ctx.Err() == nil {
			if kept = f.explain(ctx, path); kept == nil {
				continue
			}
			if ctx.Err() != nil { // the search was cut short
				kept = nil
			}
		}
		if kept == nil {
			x.Left++
			continue
		}
		known[name] = kept
		x.Requests = append(x.Requests, kept)
	}
	f.known = known
	x.count()
	return x, nil
}

// explain explains one file. It returns nil if the file is gone.
func (f *keptFolder) explain(ctx context.Context, path string) *keptRequest {
	kept := &keptRequest{File: filepath.Base(path)}
	data, err := readInput(streams{}, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var a *answer
	if err == nil {
		a, err = f.ask(ctx, data)
	}
	if err != nil {
		kept.Cause, kept.Error = causeError, printable(err.Error())
		return kept
	}
	kept.Verdict, kept.Explained = a.Verdict, a.Explained
	if r := a.request; r != nil {
		kept.Method, kept.Host, kept.Path = printable(r.Method), printable(r.Host), printable(r.URL.EscapedPath())
	}
	if r := a.Recorded; r != nil {
		kept.Time, kept.Code, kept.Environment, kept.Mode = r.At, core.Code(r.Code), printable(r.Environment), r.Mode
	}
	kept.describe(a)
	return kept
}

// content returns the content of a file. The name must be that of a kept request in the
// folder, so that no other file is opened. A nil folder has none.
func (f *keptFolder) content(name string) ([]byte, error) {
	if f == nil {
		return nil, fs.ErrNotExist
	}
	paths, err := capture.Files(f.dir)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(paths, func(path string) bool { return filepath.Base(path) == name })
	if i < 0 {
		return nil, fs.ErrNotExist
	}
	return readInput(streams{}, paths[i])
}

// describe sets the cause of a request to the one that an answer names.
func (k *keptRequest) describe(a *answer) {
	switch x := a.Explanation; {
	case a.Server != nil:
		k.Cause, k.Detail = causeServer, a.Server.Error()
	case x == nil:
		k.Cause, k.Error = causeError, "it holds no request"
	case a.fromRecord:
		k.Cause, k.Detail, k.Explained = string(k.Code), inOneLine(reasons(a.Recorded)), true
	case x.Accepted():
		k.Cause, k.Detail = causeNow, inOneLine(a.Notes)
	case len(x.Causes) > 0:
		var names, details, signed []string
		for _, f := range x.Causes {
			names, details = append(names, string(f.Cause)), append(details, f.Detail)
			if f.Change != "" {
				signed = append(signed, f.Change)
			}
		}
		k.Cause, k.Detail, k.Signed = strings.Join(names, " + "), inOneLine(details), strings.Join(signed, ", ")
	case a.Explained:
		k.Cause, k.Detail = string(x.Code), inOneLine(append([]string{x.Detail}, a.Advice...))
	default:
		k.Cause, k.Detail = causeNone, strings.Join(a.Advice[:min(1, len(a.Advice))], "")
	}
}

// Request returns method, host and path in one line, cut to a width.
func (k *keptRequest) Request() string {
	const width = 48
	text := strings.TrimSpace(k.Method + " " + k.Host + k.Path)
	if len(text) > width {
		text = strings.ToValidUTF8(text[:width-3], "") + "..."
	}
	return cmp.Or(text, "-")
}
