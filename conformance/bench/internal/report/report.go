// Package report prints the results of the programs.
package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Table is a title and rows of cells. The first row has the names of the columns.
type Table struct {
	Title string
	Rows  [][]string
}

// New returns a table with these columns.
func New(title string, columns ...string) *Table {
	return &Table{title, [][]string{columns}}
}

// Add appends a row. Strings are unchanged, numbers have three significant digits.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch c := cell.(type) {
		case float64:
			row[i] = number(c)
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	t.Rows = append(t.Rows, row)
}

func number(f float64) string {
	switch {
	case f >= 100 || f <= -100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10 || f <= -10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// Write prints the table, for people or for a document.
func (t *Table) Write(w io.Writer, markdown bool) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", t.Title)
	if markdown {
		for i, row := range t.Rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
			if i == 0 {
				fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(row)-1))
			}
		}
	} else {
		aligned := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
		for _, row := range t.Rows {
			fmt.Fprintf(aligned, "%s\t\n", strings.Join(row, "\t"))
		}
		aligned.Flush()
	}
	b.WriteString("\n")
	w.Write(b.Bytes())
}

// Machine returns the date and the machine of the measurement.
func Machine() string {
	model := runtime.GOARCH
	info, _ := os.ReadFile("/proc/cpuinfo")
	if _, rest, found := strings.Cut(string(info), "model name"); found {
		line, _, _ := strings.Cut(rest, "\n")
		model = strings.Trim(line, ": \t")
	}
	return fmt.Sprintf("%s, %s, %d cores, %s %s/%s.", time.Now().UTC().Format(time.DateOnly), model, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Median returns the middle of values, which it sorts.
func Median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
