package main

import (
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// dashboard is what the tests read of dashboard.json.
type dashboard struct {
	Templating struct{ List []variable }
	Panels     []panel
}

type variable struct {
	Name, Type string
	Query      any // a text, or a mapping with a field query
}

type panel struct {
	Title, Type string
	Targets     []target
	FieldConfig struct {
		Defaults  struct{ Unit string }
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Transformations []struct {
		Options struct {
			ExcludeByName map[string]bool
			RenameByName  map[string]string
		}
	}
}

type target struct {
	RefID, Expr, LegendFormat, Format string
	Instant                           bool
}

func readDashboard(t *testing.T) (source string, d dashboard) {
	t.Helper()
	text, err := os.ReadFile("dashboard.json")
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil || len(d.Panels) < 10 {
		t.Fatalf("%d panels, %v", len(d.Panels), err)
	}
	return string(text), d
}

// TestDashboard_T265: Prometheus has data for each expression of each panel, with the labels that
// legends and columns name, and each alert is pending or firing. What a healthy service has no
// data for happens here: requests that are refused, an old secret, a change of the mode, a
// file that cannot be loaded, a full replay store, a full disk.
func TestDashboard_T265(t *testing.T) {
	needs.Long(t)              // waits for Prometheus to scrape under load
	log.SetOutput(brokenLog{}) // of slog's default logger
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	dir := t.TempDir()
	healthy, broken := filepath.Join(dir, "healthy.yaml"), filepath.Join(dir, "broken.yaml")
	environment(t, healthy, "RELEASE", "report", 1000000)
	environment(t, broken, "production", "report", 3)
	service1, operator1 := serveFile(t, healthy, "RELEASE")
	service2, operator2 := serveFile(t, broken, "production")
	alone := filepath.Join(dir, "guard.yaml")
	environment(t, alone, "GUARDED", "enforce", 1000000)
	_, service3, operator3 := guarded(t, alone, "GUARDED", slog.New(slog.DiscardHandler))
	p := startPrometheus(t, operator1, operator2, operator3)
	send(t, map[string]time.Duration{service1: -time.Second, service2: 10 * time.Minute, service3: time.Second})

	eventually(t, func() []string {
		return p.lacks(`gatewayauth_mode{environment="RELEASE", mode="report"}`, `gatewayauth_mode{environment="production"}`)
	})
	environment(t, healthy, "RELEASE", "enforce", 1000000)
	write(t, broken, "environments: {production: {mode: strict}}\n")
	eventually(t, func() []string { return p.lacks(`gatewayauth_verifications_total{mode="enforce", code="replayed"}`) })

	source, d := readDashboard(t)
	eventually(t, func() []string { return append(p.faultsOfPanels(source, d), p.faultsOfAlerts()...) })

	// What is checked would be noticed.
	for _, tt := range []struct{ old, new, want string }{
		{"rate(gatewayauth_verifications_total{environment", "rate(gatewayauth_verification_total{environment", "Verdicts: A: no data"},
		{`"{{environment}} {{direction}}"`, `"{{environment}} {{side}}"`, "Clock skew: A: a series has no label side"},
		{"by (le, environment, direction)", "by (environment, direction)", "Clock skew: A: no data"},
		{"sum by (environment, outcome)", "sum by (environment)", "Not judged for replay: A: a series has no label outcome"},
		{"{environment=~\\\"$environment\\\"}[$__range]", "{environment=~\\\"$env\\\"}[$__range]", "there is no variable env"},
		{"label_values(gatewayauth_mode, environment)", "label_values(gatewayauth_mode, env)", "the variable environment has no values"},
		{"{environment=~\\\"$environment\\\"}[$__range]", "{env=~\\\"$environment\\\"}[$__range]", "Refusals by API: A: no data"},
		{"sum by (code) (rate(", "sum by (code) ((rate(", "parse error"},
		{`"unit": "bytes"`, `"unit": "s"`, "Bodies in memory: A: not in the unit s"},
		{`"unit": "cps"`, `"unit": "none"`, "Log records not written: A: not in the unit none"},
		{`"options": "ends in"`, `"options": "end"`, "Old secrets: there is no column end"},
		{`"Value #B"`, `"Value #D"`, "Old secrets: there is no column Value #D"},
		{"          \"legendFormat\": \"{{environment}}: {{mode}}\",\n          \"instant\": true", `"legendFormat": "{{environment}}: {{mode}}"`, "Mode: A: 4 values of 3 environments"},
	} {
		changed := strings.Replace(source, tt.old, tt.new, 1)
		var d dashboard
		if err := json.Unmarshal([]byte(changed), &d); err != nil || changed == source {
			t.Errorf("%s is not in dashboard.json: %v", tt.old, err)
			continue
		}
		if faults := p.faultsOfPanels(changed, d); !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.want) }) {
			t.Errorf("%s instead of %s: got %q, want %q", tt.new, tt.old, faults, tt.want)
		}
	}
}

// series is one of the series of a result, with its last value.
type series struct {
	labels map[string]string
	value  float64
}

// query returns what Grafana would get for a panel that shows the last five minutes.
func (p monitor) query(expr string, instant bool) (list []series, err error) {
	path, parameters := "query", url.Values{"query": {expr}}
	if now := time.Now(); !instant {
		path = "query_range"
		parameters.Set("start", fmt.Sprint(now.Add(-5*time.Minute).Unix()))
		parameters.Set("end", fmt.Sprint(now.Unix()))
		parameters.Set("step", "1")
	}
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
			Values [][2]any
		}
	}
	if err := p.get(path, parameters, &data); err != nil {
		return nil, err
	}
	for _, r := range data.Result {
		if len(r.Values) > 0 {
			r.Value = r.Values[len(r.Values)-1]
		}
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		list = append(list, series{r.Metric, value})
	}
	return list, nil
}

// lacks returns the expressions without data.
func (p monitor) lacks(exprs ...string) (missing []string) {
	for _, expr := range exprs {
		if list, err := p.query(expr, true); len(list) == 0 {
			missing = append(missing, fmt.Sprintf("%s: no data, %v", expr, err))
		}
	}
	return missing
}

// replacements returns what Grafana writes into expressions, by the name of the variable.
func (p monitor) replacements(source string, d dashboard) (values map[string]string, faults []string) {
	values = map[string]string{"__rate_interval": "1m", "__range": "1h"}
	for _, v := range d.Templating.List {
		if !regexp.MustCompile(`\$\{?` + v.Name + `\b`).MatchString(source) {
			faults = append(faults, "nothing uses the variable "+v.Name)
		}
		if v.Type != "query" {
			continue
		}
		query, ok := v.Query.(string)
		if m, isMap := v.Query.(map[string]any); isMap {
			query, ok = m["query"].(string)
		}
		m := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(query)
		var names []string
		if !ok || m == nil {
			faults = append(faults, "the variable "+v.Name+" has an unknown query")
		} else if err := p.get("label/"+m[2]+"/values", url.Values{"match[]": {m[1]}}, &names); err != nil || len(names) == 0 {
			faults = append(faults, fmt.Sprintf("the variable %s has no values, %v", v.Name, err))
		}
		values[v.Name] = "(" + strings.Join(names, "|") + ")" // as if all were chosen
	}
	return values, faults
}

// faultsOfPanels returns what is wrong with the dashboard.
func (p monitor) faultsOfPanels(source string, d dashboard) (faults []string) {
	values, faults := p.replacements(source, d)
	for _, panel := range d.Panels {
		columns := map[string]bool{"Time": true} // of a table
		for _, target := range panel.Targets {
			where := panel.Title + ": " + target.RefID + ": "
			expr := regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(target.Expr, func(name string) string {
				value, ok := values[name[1:]]
				if !ok {
					faults = append(faults, where+"there is no variable "+name[1:])
				}
				return value
			})
			list, err := p.query(expr, target.Instant)
			switch {
			case err != nil:
				faults = append(faults, where+err.Error())
			case len(list) == 0:
				faults = append(faults, where+"no data")
			}
			for _, f := range panel.faults(target, list) {
				faults = append(faults, where+f)
			}
			columns["Value #"+target.RefID] = true
			for _, s := range list {
				for label := range s.labels {
					columns[label] = true
				}
			}
		}
		for _, f := range panel.faultsOfColumns(columns) {
			faults = append(faults, panel.Title+": "+f)
		}
	}
	return faults
}

// units are what expressions of a unit, and no others, match.
var units = map[string]*regexp.Regexp{
	"s":           regexp.MustCompile(`_seconds(_bucket)?\b`),
	"bytes":       regexp.MustCompile(`_bytes\b`),
	"percentunit": regexp.MustCompile(` / `),
	"reqps":       regexp.MustCompile(`\brate\(\w+_total\b`),
	"cps":         regexp.MustCompile(`\brate\(\w+_total\b`),
	"none":        regexp.MustCompile(`\bincrease\(|gatewayauth_(mode|config_stale)\b`),
}

// faults returns what is wrong with the data of a target.
func (p panel) faults(target target, list []series) (faults []string) {
	unit := p.unit(target)
	if form := units[unit]; form == nil || !form.MatchString(target.Expr) {
		faults = append(faults, "not in the unit "+unit)
	}
	environments := map[string]bool{}
	for _, s := range list {
		if math.IsNaN(s.value) || math.IsInf(s.value, 0) || unit == "percentunit" && (s.value < 0 || s.value > 1) {
			faults = append(faults, fmt.Sprintf("%v is %v", s.labels, s.value))
		}
		for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
			if s.labels[m[1]] == "" {
				faults = append(faults, "a series has no label "+m[1])
			}
		}
		environments[s.labels["environment"]] = true
	}
	if p.Type == "stat" && len(list) > len(environments) {
		faults = append(faults, fmt.Sprintf("%d values of %d environments", len(list), len(environments)))
	}
	if target.LegendFormat == "" && target.Format != "table" {
		faults = append(faults, "no legend")
	}
	return faults
}

// unit returns the unit of a target: that of its column, or that of the panel.
func (p panel) unit(target target) string {
	unit := p.FieldConfig.Defaults.Unit
	for _, t := range p.Transformations {
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if name := t.Options.RenameByName["Value #"+target.RefID]; name != "" && o.Matcher.Options == name && property.ID == "unit" {
					unit = fmt.Sprint(property.Value)
				}
			}
		}
	}
	return unit
}

// faultsOfColumns returns the columns that are named and do not exist.
func (p panel) faultsOfColumns(columns map[string]bool) (faults []string) {
	exists := func(name string) {
		if !columns[name] {
			faults = append(faults, "there is no column "+name)
		}
	}
	for _, t := range p.Transformations {
		for name := range t.Options.ExcludeByName {
			exists(name)
		}
		for name := range t.Options.RenameByName {
			exists(name)
		}
		for name := range maps.Values(t.Options.RenameByName) {
			columns[name] = true
		}
	}
	for _, o := range p.FieldConfig.Overrides {
		if exists(o.Matcher.Options); o.Matcher.ID != "byName" {
			faults = append(faults, "an override is not by name")
		}
	}
	return faults
}

// faultsOfAlerts returns the alerts of rules.yaml whose condition does not hold, and the labels
// that their annotations name and that do not exist.
func (p monitor) faultsOfAlerts() (faults []string) {
	var data struct {
		Groups []struct {
			Rules []struct {
				Name, Health, LastError string
				Annotations             map[string]string
				Alerts                  []struct{ Labels map[string]string }
			}
		}
	}
	if err := p.get("rules", url.Values{"type": {"alert"}}, &data); err != nil || len(data.Groups) == 0 {
		return []string{fmt.Sprintf("%d groups of rules, %v", len(data.Groups), err)}
	}
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			if len(rule.Alerts) == 0 {
				faults = append(faults, fmt.Sprintf("%s: no alert: %s %s", rule.Name, rule.Health, rule.LastError))
			}
			for _, annotation := range rule.Annotations {
				for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(annotation, -1) {
					for _, alert := range rule.Alerts {
						if alert.Labels[m[1]] == "" {
							faults = append(faults, rule.Name+": an alert has no label "+m[1])
						}
					}
				}
			}
		}
	}
	return faults
}
