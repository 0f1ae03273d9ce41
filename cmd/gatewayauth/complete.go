package main

import (
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// completions complete the values of flags, in every command that has the flag.
var completions = map[string]cobra.CompletionFunc{
	"config":       cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
	"env":          completeEnvironments,
	"other-env":    completeEnvironments,
	"key":          completeKeys,
	"sign-with":    completeKeys,
	"type":         choices(config.KeyTypes()...),
	"fault":        completeFaults,
	"payload":      choices("hashed", "declared", "unsigned"),
	"sign-payload": choices("hashed", "declared", "unsigned"),
	"as":           choices("headers", "curl", "url"),
	"paths":        choices("normalized", "s3"),
	"format":       choices(append([]string{"auto"}, capture.Formats...)...),
	"request":      choices("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
}

// fileFlags are the flags whose values are files.
var fileFlags = []string{"secret-file", "client-canonical", "report", "data", "data-binary"}

// complete has the shell complete the flags of a command, and files as the arguments of
// commands that take files.
func complete(c *cobra.Command, takesFiles bool) *cobra.Command {
	if !takesFiles {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		completion, known := completions[f.Name]
		if !known {
			completion = cobra.NoFileCompletions
		}
		if slices.Contains(fileFlags, f.Name) {
			return
		}
		if err := c.RegisterFlagCompletionFunc(f.Name, completion); err != nil {
			panic(err) // the flag exists, and has none yet
		}
	})
	return c
}

func choices(all ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
}

// outlines returns the environments of the file of --config, without their secrets; none
// if it cannot be read.
func outlines(c *cobra.Command) []config.Outline {
	path := c.Flag("config").Value.String()
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := loadFile(path, config.WithoutSecrets())
	if err != nil {
		return nil
	}
	return file.Outlines()
}

func completeEnvironments(c *cobra.Command, _ []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, o := range outlines(c) {
		names = append(names, printable(o.Name))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeKeys completes the keys of the environment of --env, or of all.
func completeKeys(c *cobra.Command, _ []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	env := c.Flag("env").Value.String()
	for _, o := range outlines(c) {
		for _, k := range o.Keys {
			if env == "" || env == o.Name {
				names = append(names, cobra.CompletionWithDesc(printable(k.Name), k.Type+" key of "+printable(o.Name)))
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completeFaults(*cobra.Command, []string, string) (faults []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, k := range faultKinds {
		faults = append(faults, cobra.CompletionWithDesc(k.usage(), k.does))
	}
	return faults, cobra.ShellCompDirectiveNoFileComp
}
