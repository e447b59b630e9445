// Package report holds what a run of the benchmark found, and says it: as JSON, as Markdown, as charts, and as one line
// per aim. It measures nothing, so that a stored run can be said again.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Results are all that one run of the program found. They are what its JSON file holds.
type Results struct {
	Begun    time.Time         `json:"begun"`
	Took     float64           `json:"took_seconds"`
	Mode     string            `json:"mode"` // full or quick
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // Go and the modules that were measured
	Settings Settings          `json:"settings"`
	Subjects []Subject         `json:"subjects"` // in the order of the tables' columns
	Measured []Measured        `json:"measured"`
	Figures  []Figure          `json:"figures,omitempty"`
	Curves   []Curve           `json:"curves,omitempty"`
	Remarks  []string          `json:"remarks,omitempty"` // what was skipped or failed
}

// Machine is where the run took place.
type Machine struct {
	Cores      int    `json:"cores"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	Servers    int    `json:"serverGomaxprocs,omitempty"` // GOMAXPROCS of each server; 0 means the same
	CPU        string `json:"cpu,omitempty"`
	System     string `json:"system"` // such as linux/amd64
	Kernel     string `json:"kernel,omitempty"`
	FileSystem string `json:"file_system,omitempty"` // of the servers' directories
}

// Settings are how the run was made.
type Settings struct {
	Rounds     int     `json:"rounds"`
	Seconds    float64 `json:"seconds"` // of one measurement
	Warm       float64 `json:"warm_seconds"`
	Seed       uint64  `json:"seed"`
	Keys       int     `json:"keys"`
	ValueBytes int     `json:"value_bytes"`
	KeyMemory  int     `json:"key_memory"` // of pairdb's client
	Replicas   int     `json:"replicas"`
}

// A Subject is what was measured.
type Subject struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Skipped string `json:"skipped,omitempty"` // why it was not measured
}

// A Case is one thing to measure, once in every round. Zero fields are the run's defaults.
type Case struct {
	Subject  string `json:"subject"`
	Workload string `json:"workload"`
	Callers  int    `json:"callers,omitempty"` // of a closed loop
	Percent  int    `json:"percent,omitempty"` // of the subject's highest throughput: an open loop
	Bytes    int    `json:"bytes,omitempty"`   // of a value
	Keys     int    `json:"keys,omitempty"`
	Zipf     bool   `json:"zipf,omitempty"`
}

func (c Case) String() string {
	s := c.Subject + " " + c.Workload
	if c.Bytes > 0 {
		s += fmt.Sprintf(", %s values", bytesText(c.Bytes))
	}
	if c.Keys > 0 {
		s += fmt.Sprintf(", %s keys", Thousands(float64(c.Keys)))
	}
	if c.Zipf {
		s += ", Zipf"
	}
	if c.Percent > 0 {
		return s + fmt.Sprintf(", open loop at %d %%", c.Percent)
	}
	return s + fmt.Sprintf(", %d callers", c.Callers)
}

// Measured is a case with what each round found.
type Measured struct {
	Case
	Rounds []Sample `json:"rounds"`
}

// A Sample is what one round found for one case. A call may have several operations (GetMany); times are in
// microseconds.
type Sample struct {
	OpsPerSecond float64 `json:"ops_per_second"`
	Offered      float64 `json:"offered_per_second,omitempty"` // open loop
	P50          float64 `json:"p50_us"`
	P90          float64 `json:"p90_us"`
	P99          float64 `json:"p99_us"`
	P999         float64 `json:"p999_us"`
	P9999        float64 `json:"p9999_us"`
	Max          float64 `json:"max_us"`
	LateP99      float64 `json:"late_p99_us,omitempty"` // open loop: how late the generator itself was
	Errors       float64 `json:"errors,omitempty"`
	Allocs       float64 `json:"allocs_per_op"`     // of the client's process
	AllocBytes   float64 `json:"heap_bytes_per_op"` // of the client's process
	ClientCPU    float64 `json:"client_cpu_us_per_op"`
	AllCPU       float64 `json:"all_cpu_us_per_op,omitempty"` // of the client's process and the servers'; 0 is not known
	Goroutines   float64 `json:"goroutines"`                  // of the callers and the client
}

// fields lists a sample's numbers, for whatever is done to each of them.
func (s *Sample) fields() []*float64 {
	return []*float64{
		&s.OpsPerSecond, &s.Offered, &s.P50, &s.P90, &s.P99, &s.P999, &s.P9999, &s.Max, &s.LateP99, &s.Errors,
		&s.Allocs, &s.AllocBytes, &s.ClientCPU, &s.AllCPU, &s.Goroutines,
	}
}

// Median returns each field's median over the rounds, on its own; of an even number the mean of the middle two.
func (m Measured) Median() Sample {
	var median Sample
	columns := make([][]float64, len(median.fields()))
	for _, s := range m.Rounds {
		for i, f := range s.fields() {
			columns[i] = append(columns[i], *f)
		}
	}
	for i, f := range median.fields() {
		*f = Median(columns[i])
	}
	return median
}

// Median returns the middle value, the mean of the middle two, or 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Of returns the medians of a case; false if it was not measured, or if all its calls failed.
func (r *Results) Of(c Case) (Sample, bool) {
	i := slices.IndexFunc(r.Measured, func(m Measured) bool { return m.Case == c })
	if i < 0 {
		return Sample{}, false
	}
	s := r.Measured[i].Median()
	return s, s.OpsPerSecond > 0
}

// Add appends one round's sample to its case.
func (r *Results) Add(c Case, s Sample) {
	i := slices.IndexFunc(r.Measured, func(m Measured) bool { return m.Case == c })
	if i < 0 {
		i = len(r.Measured)
		r.Measured = append(r.Measured, Measured{Case: c})
	}
	r.Measured[i].Rounds = append(r.Measured[i].Rounds, s)
}

// Highest returns the greatest throughput of a subject's closed loops with the run's default keys and values; 0 if
// it has none.
func (r *Results) Highest(subject, workload string) (highest float64) {
	for _, m := range r.Measured {
		if (m.Case == Case{Subject: subject, Workload: workload, Callers: m.Callers}) {
			highest = max(highest, m.Median().OpsPerSecond)
		}
	}
	return highest
}

// A Figure is one number that a scenario found.
type Figure struct {
	Name  string  `json:"name"` // such as overload/goodput
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	Note  string  `json:"note,omitempty"` // how it came about
}

// A Curve is what a scenario found for several sizes: a chart of its own.
type Curve struct {
	Name  string `json:"name"` // such as cost by nodes
	X     string `json:"x"`    // the axes' labels
	Y     string `json:"y"`
	Lines []Line `json:"lines"`
	LogX  bool   `json:"log_x,omitempty"`
}

// A Line is one line of a chart, its points in ascending order of X.
type Line struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// A Point is a point of a line.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Figure returns the figure of that name.
func (r *Results) Figure(name string) (Figure, bool) {
	i := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.Name == name })
	if i < 0 {
		return Figure{}, false
	}
	return r.Figures[i], true
}

// WriteJSON writes the results so that ReadJSON has them back.
func (r *Results) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(r io.Reader) (*Results, error) {
	results := new(Results)
	if err := json.NewDecoder(r).Decode(results); err != nil {
		return nil, fmt.Errorf("report: read results: %w", err)
	}
	return results, nil
}

// callers lists the numbers of callers for which the default cases of a workload were measured, in ascending order.
func (r *Results) callers(workload string) []int {
	var list []int
	for _, m := range r.Measured {
		if (m.Case == Case{Subject: m.Subject, Workload: workload, Callers: m.Callers}) && m.Callers > 0 {
			list = append(list, m.Callers)
		}
	}
	slices.SortFunc(list, cmp.Compare)
	return slices.Compact(list)
}
