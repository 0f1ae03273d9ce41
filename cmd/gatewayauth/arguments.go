package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// oneURL wants one argument, a URL.
func oneURL(example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("the URL is missing: give one such as %s", example)
		case 1:
			return nil
		}
		return fmt.Errorf("give one URL, such as %s, and not also %q (put quotes around what holds spaces or &)", example, args[1])
	}
}

// atMostOne wants one argument or none. What is that which one can give, such as "log".
func atMostOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("give one %s, and not also %q", what, args[1])
		}
		return nil
	}
}

// noArguments wants none. Instead says what may have been meant.
func noArguments(instead string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("%s takes no argument such as %q", c.Name(), args[0])
		if instead != "" {
			text += ": " + instead
		}
		return errors.New(text)
	}
}

// onlyNames returns an error if a --header is not the name of a header alone.
func onlyNames(headers []string) error {
	for _, h := range headers {
		name, _, _ := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !headerName.MatchString(name) {
			name = "X-Tenant"
		}
		if name != h {
			return fmt.Errorf("--header: give a name, such as %s: what the request has of it is signed", name)
		}
	}
	return nil
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// flagError says what to write instead of a flag that cannot be read.
func flagError(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return fmt.Errorf("%w; %s --help lists the flags", unknown, c.CommandPath())
	}
	if empty, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		_, usage := pflag.UnquoteUsage(empty.GetFlag())
		return fmt.Errorf("--%s needs a value: %s", empty.GetFlag().Name, usage)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		want := map[string]string{"duration": "a duration such as 10s or 15m", "int": "a whole number", "bool": "true or false"}[bad.GetFlag().Value.Type()]
		if want != "" {
			return fmt.Errorf("--%s: %q is not %s", bad.GetFlag().Name, bad.GetValue(), want)
		}
	}
	return err
}
