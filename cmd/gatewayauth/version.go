package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// versionText describes the build: one line for each thing that a report of a fault needs.
func versionText() string {
	version, commit := "unknown", "unknown"
	if info, known := debug.ReadBuildInfo(); known {
		version = cmp.Or(info.Main.Version, version)
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if revision := settings["vcs.revision"]; revision != "" {
			commit = strings.TrimSpace(revision + " " + settings["vcs.time"])
			if settings["vcs.modified"] == "true" {
				commit += ", modified"
			}
		}
	}
	return fmt.Sprintf("gatewayauth %s\ncommit      %s\ngo          %s\nplatform    %s/%s\n",
		version, commit, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH)
}

func versionCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit, and what it was built with",
		Long: `Print the version of gatewayauth, the commit that it was built from and its date,
the version of Go, and the platform. A build outside of the repository knows its
version, and not its commit. --version prints the same.`,
		Example: `  gatewayauth version`,
		Args:    noArguments(""),
		RunE: func(*cobra.Command, []string) error {
			if _, err := fmt.Fprint(s.out, versionText()); err != nil {
				return failed{err}
			}
			return nil
		},
	}
}
