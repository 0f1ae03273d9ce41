package capture

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// command is a simple shell command: its words as the program gets them.
type command struct {
	words []string
	// err says why the remaining words are unknown.
	err   error
	stdin input
}

func (c command) callsCurl() bool {
	_, calls := curlArguments(c.words)
	return calls
}

var (
	webRequest  = regexp.MustCompile(`(?im)^\s*(?:PS [^>\n]*>\s*)?(?:\$[\w:]+\s*=\s*)?(?:invoke-webrequest|invoke-restmethod|iwr|irm)(?:\s|$)|^\s*\$session\s*=`)
	backtickEnd = regexp.MustCompile("[ \\t]`\r?\n[ \\t]*(?:>> )?[-'\"h]")
	cmdPrompt   = regexp.MustCompile(`(?m)^\s*[A-Za-z]:\\[^>\n]*>`)
	psPrompt    = regexp.MustCompile(`(?m)^\s*PS [^>\n]*> ?`)
	caret       = regexp.MustCompile(`(?m)(^|[ \t])\^("|\r?$)`)
)

// commands splits a text into the commands that a shell would run. It expands a variable or
// substitution only if the text determines its value.
func commands(text string) (all []command, notes []string, err error) {
	text = unfenced(text)
	if breaks := strings.Count(text, "\r\n"); breaks > 0 && breaks == strings.Count(text, "\n") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	head := text[:min(len(text), 16<<10)] // enough to detect the shell
	switch {
	case webRequest.MatchString(head):
		return nil, nil, errors.New("this is a command of PowerShell's Invoke-WebRequest, not of curl: " + copyAsCurl)
	case psPrompt.MatchString(head), backtickEnd.MatchString(head) && !caret.MatchString(head) && !strings.Contains(head, "\\\n"):
		text, notes = withoutPrompts(text)
		all, more, err := powerShellCommands(text)
		return all, append(notes, more...), err
	case cmdPrompt.MatchString(head), caret.MatchString(head) && !posixQuotes(head):
		text, notes = withoutPrompts(text)
		all, more, err := cmdCommands(text)
		return all, append(notes, more...), err
	}
	text, notes = withoutPrompts(text)
	all, more, err := shellCommands(text)
	return all, append(notes, more...), err
}

// posixQuotes reports whether the first quote of a text is one that cmd.exe does not
// have. A ^ is then part of a value.
func posixQuotes(text string) bool {
	first := strings.IndexAny(text, `'"`)
	return first >= 0 && text[first] == '\''
}

// unfenced removes the fence of a Markdown code block.
func unfenced(text string) string {
	trimmed := strings.TrimSpace(text)
	rest, opened := strings.CutPrefix(trimmed, "```")
	inner, closed := strings.CutSuffix(rest, "```")
	if _, inner, found := strings.Cut(inner, "\n"); opened && closed && found {
		return inner
	}
	return text
}

// calls matches a command that calls curl, up to the name.
var calls = `(?:(?:[A-Za-z_]\w*=\S*|-\S+|&|` + startersPattern() + `(?:\s+[^\s'"|;&<>]+)*?)\s+)*@?(?:"[^"]*[/\\]curl(?:\.exe)?"|(?:[^\s'"]*[/\\])?curl(?:\.exe)?)(?:\s|$)`

// startersPattern matches a program that runs the command after it.
func startersPattern() string {
	quoted := make([]string, len(starters))
	for i, name := range starters {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "(?:" + strings.Join(quoted, "|") + ")"
}

var (
	prompted  = regexp.MustCompile(`^(\s*(?:PS [^>]*>|[A-Za-z]:\\[^>]*>|[^'"|;&<>=` + "`" + `]*[$#%❯λ»][ \t]+|\++ |➜ [^'"|;&<>=` + "`" + `]*?|[^'"|;&<>=` + "`" + `]*>)\s*)` + calls)
	atStart   = regexp.MustCompile(`^[ \t]*` + calls)
	secondary = regexp.MustCompile(`^(?:(?:[dbs]?quote|heredoc|cmdand|cmdor|pipe|cursh|subsh)?>>? ?|More\? ?)`)
)

// withoutPrompts removes the prompts of a shell, and the output of the commands: if any
// line has a prompt, the lines without one are output.
func withoutPrompts(text string) (string, []string) {
	lines := strings.Split(text, "\n")
	prompt := ""
	for _, line := range lines {
		if m := promptOf(line); m != "" {
			prompt = m
			break
		}
	}
	if strings.TrimSpace(prompt) == "#" && slices.ContainsFunc(lines, startsCurl) {
		prompt = "" // a comment
	}
	var b strings.Builder
	var left openQuote
	output := false
	heredoc := strings.Contains(text, "<<")
	for _, line := range lines {
		rest, isCommand := strings.CutPrefix(line, strings.TrimRight(prompt, " "))
		own := promptOf(line)
		switch {
		case prompt == "" && left.continued && secondary.MatchString(line):
			if after := secondary.ReplaceAllString(line, ""); strings.HasPrefix(after, "-") {
				line = after // not a redirection to a file
			}
		case prompt == "":
		case left.open() || heredoc && !isCommand && b.Len() > 0:
			line = secondary.ReplaceAllString(line, "")
		case own != "" && strings.TrimSpace(own) != "#":
			line = line[len(own):]
		case isCommand:
			line = rest
		case startsCurl(line):
		default:
			output = output || strings.TrimSpace(line) != ""
			continue
		}
		b.WriteString(line + "\n")
		left.line(line)
	}
	if output {
		return b.String(), []string{"lines without a prompt are output of the command, and are ignored"}
	}
	return b.String(), nil
}

// promptOf returns the prompt in front of a call of curl, or "".
func promptOf(line string) string {
	if m := prompted.FindStringSubmatch(line[:min(len(line), 1024)]); m != nil {
		return m[1]
	}
	return ""
}

func startsCurl(line string) bool { return atStart.MatchString(line[:min(len(line), 1024)]) }

// openQuote tracks whether a command continues on the next line.
type openQuote struct {
	quote     byte
	continued bool
}

func (o *openQuote) open() bool { return o.quote != 0 || o.continued }

func (o *openQuote) line(line string) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && o.quote != '\'':
			i++
		case c == o.quote:
			o.quote = 0
		case o.quote == 0 && (c == '\'' || c == '"'):
			o.quote = c
		}
	}
	end := strings.TrimRight(line, "\r")
	o.continued = strings.HasSuffix(end, `\`) || strings.HasSuffix(end, "^") || strings.HasSuffix(end, "`") && o.quote == 0 ||
		strings.HasSuffix(end, "|") || strings.HasSuffix(end, "&&")
}

var errTypographic = errors.New("the command has typographic quotes, dashes or spaces, which shells do not read as \" ' - or a space: replace them")

// typographic reports whether text outside quotes has the quotes and dashes that editors
// insert.
func typographic(text string) bool {
	return strings.ContainsAny(text, "“”„‘’\u00a0") || strings.HasPrefix(text, "–") || strings.HasPrefix(text, "—")
}

func unknownValue(what string) error {
	return fmt.Errorf("the command has %.60s, whose value is unknown: write the value instead", what)
}

// Quote returns the text as one word of a POSIX shell.
func Quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
