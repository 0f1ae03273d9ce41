// Package grafana reads the dashboard of examples/observability with Grafana's own types.
package grafana

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// faults returns the fields that Grafana does not know or that have the wrong type. Grafana has
// defaults for fields that are absent.
func faults(source string) (list []string) {
	//lint:ignore SA1019 the dashboard is in the form that every Grafana in use imports
	var d dashboard.Dashboard
	for _, err := range []error{d.UnmarshalJSONStrict([]byte(source)), d.Validate()} {
		var problems cog.BuildErrors
		if errors.As(err, &problems) {
			for _, p := range problems {
				if p.Message != "required field is missing from input" {
					list = append(list, p.Error())
				}
			}
		} else if err != nil {
			list = append(list, err.Error())
		}
	}
	known := map[string][]string{
		"unit":     {units.Seconds, units.BytesIEC, units.PercentUnit, units.RequestsPerSecond, units.CountsPerSecond, units.NoUnit},
		"textMode": {string(common.BigValueTextModeName)},
		"type":     {"timeseries", "stat", "table", "prometheus", "datasource", "query"},
	}
	for _, m := range regexp.MustCompile(`"(unit|textMode|type)": "(.*)"`).FindAllStringSubmatch(source, -1) {
		if !slices.Contains(known[m[1]], m[2]) {
			list = append(list, m[0]+" is unknown")
		}
	}
	return list
}

// TestDashboard_T266: Grafana's types have the fields of the dashboard.
func TestDashboard_T266(t *testing.T) {
	for _, panel := range []variants.PanelcfgConfig{stat.VariantConfig(), table.VariantConfig(), timeseries.VariantConfig()} {
		cog.NewRuntime().RegisterPanelcfgVariant(panel)
	}
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	text, err := os.ReadFile("../../examples/observability/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	source := string(text)
	if found := faults(source); len(found) > 0 {
		t.Errorf("dashboard.json:\n%s", strings.Join(found, "\n"))
	}
	for _, tt := range []struct{ old, new, want string }{
		{`"legendFormat"`, `"legend"`, "legend"},
		{`"textMode"`, `"mode"`, "mode"},
		{`"transformations"`, `"transforms"`, "transforms"},
		{`"instant": true`, `"instant": "true"`, "instant"},
		{`"unit": "reqps"`, `"unit": "rps"`, `"unit": "rps" is unknown`},
		{`"includeAll"`, `"all"`, "all"},
	} {
		changed := strings.Replace(source, tt.old, tt.new, 1)
		if found := strings.Join(faults(changed), "\n"); changed == source || !strings.Contains(found, tt.want) {
			t.Errorf("%s instead of %s: got %q, want %q", tt.new, tt.old, found, tt.want)
		}
	}
}
