package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden report anew")

func stored(t testing.TB) *Results {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "results.json"))
	require.NoError(t, err)
	defer f.Close()
	r, err := ReadJSON(f)
	require.NoError(t, err)
	return r
}

func TestAStoredRunIsReportedAsItWas(t *testing.T) {
	var got bytes.Buffer
	require.NoError(t, WriteMarkdown(&got, stored(t)))
	golden := filepath.Join("testdata", "report.md")
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String(), "if it is meant to differ: go test ./bench/report -update")
}

func TestResultsSurviveTheirJSON(t *testing.T) {
	r := stored(t)
	var file bytes.Buffer
	require.NoError(t, r.WriteJSON(&file))
	again, err := ReadJSON(&file)
	require.NoError(t, err)
	require.Equal(t, r, again)
}

func TestAFileThatIsNoResultsIsAnError(t *testing.T) {
	_, err := ReadJSON(strings.NewReader("[]"))
	require.Error(t, err)
}

func TestTheReportEndsWithOneLinePerAim(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteMarkdown(&b, stored(t)))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, line := range slices.Backward(Aims) {
		require.Contains(t, lines[len(lines)-len(Aims)+i], "| "+line.Name+" |")
	}
}

func TestTheMedianIsTheMiddleOne(t *testing.T) {
	require.Zero(t, Median(nil))
	require.InDelta(t, 2, Median([]float64{9, 1, 2}), 0)
	require.InDelta(t, 3, Median([]float64{9, 1, 4, 2}), 0)
	values := []float64{3, 1, 2}
	Median(values)
	require.Equal(t, []float64{3, 1, 2}, values, "the argument is left in its order")
}

func TestEachFieldOfASampleHasItsOwnMedian(t *testing.T) {
	m := Measured{Rounds: []Sample{{OpsPerSecond: 1, P50: 9}, {OpsPerSecond: 2, P50: 8}, {OpsPerSecond: 3, P50: 7}}}
	require.Equal(t, Sample{OpsPerSecond: 2, P50: 8}, m.Median())
}

func TestNoFieldOfASampleIsLeftOutOfTheMedian(t *testing.T) {
	var s Sample
	for i, f := range s.fields() {
		*f = float64(i + 1)
	}
	require.Equal(t, s, Measured{Rounds: []Sample{s}}.Median())
	var b bytes.Buffer
	require.NoError(t, (&Results{Measured: []Measured{{Rounds: []Sample{s}}}}).WriteJSON(&b))
	for i := range s.fields() {
		require.Contains(t, b.String(), ": "+Thousands(float64(i+1)), "a field that fields does not list is 0 here")
	}
	require.NotContains(t, b.String(), "_us\": 0")
}

func TestTheHighestThroughputIsOfTheDefaultCasesAlone(t *testing.T) {
	r := new(Results)
	r.Add(Case{Subject: Memory, Workload: Get, Callers: 1}, Sample{OpsPerSecond: 10})
	r.Add(Case{Subject: Memory, Workload: Get, Callers: 64}, Sample{OpsPerSecond: 30})
	r.Add(Case{Subject: Memory, Workload: Get, Callers: 256}, Sample{OpsPerSecond: 20})
	r.Add(Case{Subject: Memory, Workload: Get, Callers: 64, Zipf: true}, Sample{OpsPerSecond: 40})
	r.Add(Case{Subject: Memory, Workload: Get, Callers: 16, Bytes: 10}, Sample{OpsPerSecond: 50})
	r.Add(Case{Subject: Memory, Workload: Get, Percent: 75}, Sample{OpsPerSecond: 60})
	r.Add(Case{Subject: FloorTCP, Workload: Get, Callers: 64}, Sample{OpsPerSecond: 70})
	require.InDelta(t, 30, r.Highest(Memory, Get), 0)
	require.Zero(t, r.Highest(Memory, Put))
}

func TestNumbersAreWrittenForReading(t *testing.T) {
	for want, got := range map[string]string{
		"0": Thousands(0), "999": Thousands(999), "1,000": Thousands(1000), "1,234,568": Thousands(1234567.8), "0.50": Thousands(0.5),
		"-1,000": Thousands(-1000), "12.3": digits(12.34), "1.23": digits(1.234), "123": digits(123.4), "10.0": digits(9.996), "100": digits(99.96),
		"–": micros(0), "1.50 µs": micros(1.5), "1.50 ms": micros(1500), "2.00 s": micros(2e6),
		"10 B": bytesText(10), "100 kB": bytesText(100_000), "1 MiB": bytesText(1 << 20), "1,500 ns": withUnit(1500, "ns"), "0.60 ×": withUnit(0.6, "×"),
	} {
		require.Equal(t, want, got)
	}
}

func TestChartsShowTheSubjectsThatWereMeasured(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "charts")
	r := stored(t)
	r.Curves = []Curve{{Name: "cost by nodes", X: "nodes", Y: "µs", LogX: true, Lines: []Line{{Name: "simulated", Points: []Point{{3, 1}, {100, 2}}}}}}
	require.NoError(t, WriteCharts(dir, r))
	for file, subjects := range map[string][]string{
		"throughput-put.svg": {Memory, Pebble, FloorTCP, Etcd},
		"throughput-get.svg": {Memory, Pebble, FloorTCP, Etcd},
		"latency-put.svg":    {Memory},
		"latency-get.svg":    {Memory},
		"cost-by-nodes.svg":  {"simulated"},
	} {
		svg, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		for _, s := range subjects {
			require.Contains(t, string(svg), s, file)
		}
		require.NotContains(t, string(svg), Disk, "it has no throughput by callers")
	}
	require.NoFileExists(t, filepath.Join(dir, "size-put.svg"), "nothing was measured for it")
}

func FuzzAnyResultsCanBeReported(f *testing.F) {
	for _, name := range []string{"results.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"measured":[{"subject":"a","workload":"put","rounds":[]}],"figures":[{"name":"ring/build","value":-0.0001}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadJSON(bytes.NewReader(text))
		if err != nil {
			return
		}
		require.NoError(t, WriteMarkdown(new(bytes.Buffer), r))
	})
}
