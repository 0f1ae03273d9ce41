package main_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// TestSchemaCommand_T242: schema prints the schema, and its help the line for editors.
func TestSchemaCommand_T242(t *testing.T) {
	if r := cli(t, t.TempDir(), "", "schema"); r.code != 0 || r.err != "" || r.out != string(config.Schema()) {
		t.Errorf("exit %d, %d bytes, %s", r.code, len(r.out), r.err)
	}
	if r := cli(t, t.TempDir(), "", "schema", "--help"); !strings.Contains(r.out, "# yaml-language-server: $schema="+config.SchemaURL) {
		t.Errorf("got help %s", r.out)
	}
	if r := cli(t, t.TempDir(), "", "schema", "file"); r.code != 3 {
		t.Errorf("exit %d with an argument", r.code)
	}
}
