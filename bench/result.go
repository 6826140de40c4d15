package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"passbook/bench/load"
)

// Figure is a number that was measured.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Of latencies, in milliseconds; nil where there is none.
	P50  *float64 `json:"p50_ms,omitempty"`
	P99  *float64 `json:"p99_ms,omitempty"`
	P999 *float64 `json:"p999_ms,omitempty"`
	Max  *float64 `json:"max_ms,omitempty"`
}

// Result is what came of a bench: its figure, the yardstick that was taken in
// the same run, and the former as a share of the latter.
type Result struct {
	Figure

	Yardstick float64 `json:"yardstick"`
	Ratio     float64 `json:"ratio"`
	// YardstickIs says what the yardstick is, Conditions what else counts.
	YardstickIs string `json:"yardstick_is"`
	Conditions  string `json:"conditions,omitempty"`
	Engines     string `json:"engines"`
	// Duration is how long each of the two was to be measured, in seconds.
	Duration float64 `json:"duration_s"`
	// Beside are figures that were taken too.
	Beside []Figure `json:"beside,omitempty"`
}

// rate is the figure of an outcome that is so many a second.
func rate(name, unit string, o load.Outcome) Figure {
	return Figure{Name: name, Value: o.PerSecond(), Unit: unit}.with(o.Latency)
}

// with adds latencies.
func (f Figure) with(latency *load.Latency) Figure {
	if latency == nil {
		return f
	}
	s := latency.Summary()
	f.P50, f.P99, f.P999, f.Max = milliseconds(s.P50), milliseconds(s.P99), milliseconds(s.P999), milliseconds(s.Max)
	return f
}

func milliseconds(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}

// against puts a figure beside its yardstick.
func (f Figure) against(yardstick float64, is string) Result {
	r := Result{Figure: f, Yardstick: yardstick, YardstickIs: is}
	if yardstick > 0 {
		r.Ratio = f.Value / yardstick
	}
	return r
}

// WriteText writes a result for people.
func (r Result) WriteText(out io.Writer) error {
	_, err := fmt.Fprintf(out, "%s: %s %s; yardstick %s %s (%s); ratio %.2f\n",
		r.Name, number(r.Value), r.Unit, number(r.Yardstick), r.Unit, r.YardstickIs, r.Ratio)
	if err == nil && r.P50 != nil {
		_, err = fmt.Fprintf(out, "  latency: %s\n", r.latency())
	}
	for _, f := range r.Beside {
		if err != nil {
			break
		}
		_, err = fmt.Fprintf(out, "  %s: %s %s%s\n", f.Name, number(f.Value), f.Unit, prefixed("; ", f.latency()))
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "  on %s%s, %gs each\n", r.Engines, prefixed("; ", r.Conditions), r.Duration)
	}
	return err
}

// WriteRow writes a result as a row of a Markdown table: name, figure, yardstick,
// ratio, latencies, what else was measured.
func (r Result) WriteRow(out io.Writer) error {
	beside := make([]string, 0, len(r.Beside))
	for _, f := range r.Beside {
		text := fmt.Sprintf("%s %s %s", f.Name, number(f.Value), f.Unit)
		if f.P99 != nil {
			text += fmt.Sprintf(" (p99 %s ms)", number(*f.P99))
		}
		beside = append(beside, text)
	}
	latency := ""
	if r.P50 != nil {
		latency = fmt.Sprintf("%s / %s / %s / %s", number(*r.P50), number(*r.P99), number(*r.P999), number(*r.Max))
	}
	_, err := fmt.Fprintf(out, "| %s | %s %s | %s (%s) | %.2f | %s | %s |\n",
		r.Name, number(r.Value), r.Unit, number(r.Yardstick), r.YardstickIs, r.Ratio, latency,
		strings.Join(append(beside, r.Conditions), "; "))
	return err
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// latency writes a figure's latencies, empty where it has none.
func (f Figure) latency() string {
	if f.P50 == nil {
		return ""
	}
	return fmt.Sprintf("p50 %s ms, p99 %s ms, p99.9 %s ms, max %s ms", number(*f.P50), number(*f.P99), number(*f.P999), number(*f.Max))
}

// number writes three digits of what is small, and thousands apart.
func number(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
