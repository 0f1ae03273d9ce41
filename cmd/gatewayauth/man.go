package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func manCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write the manual pages into a folder",
		Long: `Write the manual pages of gatewayauth and of each of its commands into a folder, which
is made if it does not exist. Where man looks for them is in the output of manpath;
the pages belong into the folder man1 of one of these.`,
		Example: `  gatewayauth man ~/.local/share/man/man1 && man gatewayauth-explain`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("give one folder, such as ~/.local/share/man/man1")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := newRoot(s)
			root.SetHelpCommand(&cobra.Command{Use: "help", Hidden: true}) // it has no page
			root.InitDefaultCompletionCmd()
			inMarkdown(root)
			version, _, _ := strings.Cut(versionText(), "\n")
			header := &doc.GenManHeader{Section: "1", Source: version, Manual: "gatewayauth"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return failed{err}
			}
			if _, err := fmt.Fprintf(s.out, "wrote gatewayauth.1 and the pages of its commands to %s\n", printable(args[0])); err != nil {
				return failed{err}
			}
			return nil
		},
	}
}

// inMarkdown writes the texts of a command and of those below it in Markdown, which package
// doc expects: what is indented keeps its lines, and nothing else is markup.
func inMarkdown(c *cobra.Command) {
	c.DisableAutoGenTag = true
	var b strings.Builder
	indented := false
	for line := range strings.SplitSeq(c.Long, "\n") {
		if now := strings.HasPrefix(line, "  "); now != indented && line != "" {
			b.WriteString("\n") // in front of code and behind it
			indented = now
		}
		if indented {
			b.WriteString("    " + line + "\n") // code
		} else {
			b.WriteString(markup.ReplaceAllString(line, `\$0`) + "\n")
		}
	}
	c.Long = b.String()
	c.Short = markup.ReplaceAllString(c.Short, `\$0`)
	for _, sub := range c.Commands() {
		inMarkdown(sub)
	}
}

var markup = regexp.MustCompile("[\\\\*_`<>\\[\\]#]")
