package report

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The modes of a run.
const (
	Full  = "full"
	Quick = "quick"
)

// WriteMarkdown writes the whole report, the aims last.
func WriteMarkdown(w io.Writer, r *Results) error {
	b := new(bytes.Buffer)
	writeHead(b, r)
	for _, t := range WorkloadTitles {
		writeOverview(b, r, t.Workload, t.Title)
	}
	writeDetails(b, r)
	writeFigures(b, r)
	if err := writeBeside(b, r); err != nil {
		return err
	}
	if err := WriteAims(b, r); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeHead(b *bytes.Buffer, r *Results) {
	s := r.Settings
	fmt.Fprintf(b, "# pairdb's benchmark, %s run of %s\n\n", r.Mode, r.Begun.UTC().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(b, "%d cores", r.Machine.Cores)
	if r.Machine.CPU != "" {
		fmt.Fprintf(b, " (%s)", r.Machine.CPU)
	}
	fmt.Fprintf(b, ", GOMAXPROCS %d", r.Machine.GOMAXPROCS)
	if r.Machine.Servers > 0 {
		fmt.Fprintf(b, " (each server %d)", r.Machine.Servers)
	}
	b.WriteString(", " + r.Machine.System)
	for _, extra := range []string{r.Machine.Kernel, r.Machine.FileSystem} {
		if extra != "" {
			fmt.Fprintf(b, ", %s", extra)
		}
	}
	fmt.Fprint(b, ".\n")
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, name+" "+r.Versions[name])
	}
	fmt.Fprintf(b, "%s.\n", strings.Join(versions, ", "))
	fmt.Fprintf(b, "N = %d, %s values, %s keys unless said otherwise; medians over %d rounds of %s (after %s of warming up), "+
		"each in an order of its own (seed %d); %s in all. pairdb's client remembers %s keys that it wrote. "+
		"Load generator and clients share one process, every node and peer server has its own, all of them these cores.\n\n",
		s.Replicas, bytesText(s.ValueBytes), Thousands(float64(s.Keys)), s.Rounds, seconds(s.Seconds), seconds(s.Warm),
		s.Seed, seconds(r.Took), Thousands(float64(s.KeyMemory)))
	for _, subject := range r.Subjects {
		fmt.Fprintf(b, "- **%s**: %s", subject.Name, subject.About)
		if subject.Skipped != "" {
			fmt.Fprintf(b, " *Skipped: %s.*", strings.TrimSuffix(subject.Skipped, "."))
		}
		fmt.Fprintln(b)
	}
	for _, remark := range r.Remarks {
		fmt.Fprintf(b, "- Remark: %s\n", remark)
	}
	fmt.Fprintln(b)
}

// writeOverview writes operations per second: a row per number of callers, a column per subject.
func writeOverview(b *bytes.Buffer, r *Results, workload, title string) {
	var columns []string
	callers := r.callers(workload)
	for _, s := range r.Subjects {
		if slices.ContainsFunc(callers, func(n int) bool { _, ok := r.Of(at(s.Name, workload, n)); return ok }) {
			columns = append(columns, s.Name)
		}
	}
	if len(columns) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s: operations per second\n\n| callers | %s |\n|---:%s|\n", title, strings.Join(columns, " | "), strings.Repeat("|---:", len(columns)))
	for _, n := range callers {
		fmt.Fprintf(b, "| %s ", Thousands(float64(n)))
		for _, subject := range columns {
			cell := ""
			if s, ok := r.Of(at(subject, workload, n)); ok {
				cell = Thousands(s.OpsPerSecond)
			}
			fmt.Fprintf(b, "| %s ", cell)
		}
		fmt.Fprintln(b, "|")
	}
	fmt.Fprintln(b)
}

func writeDetails(b *bytes.Buffer, r *Results) {
	closed := func(m Measured) bool { return m.Percent == 0 }
	fmt.Fprint(b, "## Closed loops\n\n"+
		"Latencies are of a call. Allocations, CPU time and goroutines are those of the process that holds the client and "+
		"the load generator; all CPU is of the servers' processes too; goroutines are the callers and pairdb's own.\n\n"+
		"| subject | workload | callers | operations/s | p50 | p99 | p99.9 | allocations/op | client CPU/op | all CPU/op | goroutines | errors |\n"+
		"|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, m := range r.Measured {
		if !closed(m) {
			continue
		}
		s := m.Median()
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", m.Subject, m.variant(), Thousands(float64(m.Callers)),
			Thousands(s.OpsPerSecond), micros(s.P50), micros(s.P99), micros(s.P999), digits(s.Allocs), micros(s.ClientCPU), micros(s.AllCPU),
			goroutines(m.Subject, s), none(s.Errors))
	}
	fmt.Fprintln(b)
	if !slices.ContainsFunc(r.Measured, func(m Measured) bool { return !closed(m) }) {
		return
	}
	fmt.Fprint(b, "## Open loops\n\n"+
		"Calls begin at a fixed rate, a share of the subject's highest throughput in this run; latencies count from when a "+
		"call should have begun.\n\n"+
		"| subject | workload | share | offered/s | operations/s | p50 | p90 | p99 | p99.9 | generator late, p99 | errors |\n"+
		"|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, m := range r.Measured {
		if closed(m) {
			continue
		}
		s := m.Median()
		fmt.Fprintf(b, "| %s | %s | %d %% | %s | %s | %s | %s | %s | %s | %s | %s |\n", m.Subject, m.variant(), m.Percent,
			Thousands(s.Offered), Thousands(s.OpsPerSecond), micros(s.P50), micros(s.P90), micros(s.P99), micros(s.P999), micros(s.LateP99), none(s.Errors))
	}
	fmt.Fprintln(b)
}

// goroutines are told of pairdb, whose idle ones are counted.
func goroutines(subject string, s Sample) string {
	if subject != Memory && subject != Pebble {
		return ""
	}
	return Thousands(s.Goroutines)
}

// variant is the workload with what differs from the run's defaults.
func (m Measured) variant() string {
	s := m.Workload
	if m.Bytes > 0 {
		s += ", " + bytesText(m.Bytes)
	}
	if m.Keys > 0 {
		s += ", " + Thousands(float64(m.Keys)) + " keys"
	}
	if m.Zipf {
		s += ", Zipf"
	}
	return s
}

// none leaves a count out that is 0.
func none(count float64) string {
	if count == 0 {
		return ""
	}
	return Thousands(count)
}

func writeFigures(b *bytes.Buffer, r *Results) {
	if len(r.Figures) == 0 {
		return
	}
	fmt.Fprint(b, "## Scenarios\n\n| figure | | |\n|---|---:|---|\n")
	for _, f := range r.Figures {
		fmt.Fprintf(b, "| %s | %s | %s |\n", f.Name, withUnit(f.Value, f.Unit), f.Note)
	}
	fmt.Fprintln(b)
}
