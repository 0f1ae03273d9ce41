package main

import (
	"github.com/spf13/cobra"

	"github.com/gatewayauth/gatewayauth/core/config"
)

func schemaCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the environments file, for editors",
		Long: `Print the JSON Schema (draft 2020-12) of the environments file. Editors that use
yaml-language-server complete and check the file with this first line, in which a path
may stand in place of the URL:

  # yaml-language-server: $schema=` + config.SchemaURL + `

The schema knows the fields and their types. gatewayauth check finds more.`,
		Example: `  gatewayauth schema > environments.schema.json`,
		Args:    noArguments("the schema is the same for every file"),
		RunE: func(*cobra.Command, []string) error {
			if _, err := s.out.Write(config.Schema()); err != nil {
				return failed{err}
			}
			return nil
		},
	}
}
