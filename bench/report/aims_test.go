package report

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func verdict(t *testing.T, r *Results, name string) Verdict {
	t.Helper()
	for _, v := range Judge(r) {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("there is no aim %q", name)
	return Verdict{}
}

func TestARatioReachesItsBoundExactly(t *testing.T) {
	const name = "PUT, memory nodes, 256 callers, to floor-tcp"
	for ops, word := range map[float64]string{600: "ok", 599: "short", 1000: "ok"} {
		r := new(Results)
		r.Add(at(FloorTCP, Put, 256), Sample{OpsPerSecond: 1000})
		r.Add(at(Memory, Put, 256), Sample{OpsPerSecond: ops})
		v := verdict(t, r, name)
		require.InDelta(t, ops/1000, v.Value, 1e-9)
		require.Equal(t, word, v.Word(Full))
	}
}

func TestALatencyMayBeAtMostItsBound(t *testing.T) {
	const name = "PUT p50, Pebble nodes, 1 caller, to fdatasync + floor-grpc"
	for p50, word := range map[float64]string{420: "ok", 421: "short", 100: "ok"} {
		r := new(Results)
		r.Add(at(Disk, Sync, 1), Sample{OpsPerSecond: 1, P50: 100})
		r.Add(at(FloorGRPC, Put, 1), Sample{OpsPerSecond: 1, P50: 200})
		r.Add(at(Pebble, Put, 1), Sample{OpsPerSecond: 1, P50: p50})
		v := verdict(t, r, name)
		require.Equal(t, word, v.Word(Full))
		require.Contains(t, v.Detail, "(100 µs + 200 µs)")
	}
}

func TestAnAimUsesTheMedianOfTheRounds(t *testing.T) {
	r := new(Results)
	for _, allocs := range []float64{99, 12, 1} {
		r.Add(at(Memory, Put, 256), Sample{OpsPerSecond: 1, Allocs: allocs})
	}
	require.Equal(t, "ok", verdict(t, r, "client allocations per PUT, 256 callers").Word(Full))
}

func TestGoroutinesCountBesideTheCallers(t *testing.T) {
	r := new(Results)
	r.Add(at(Memory, Get, 256), Sample{OpsPerSecond: 1, Goroutines: 256 + goroutineRoom + 1})
	v := verdict(t, r, "goroutines beside 256 callers, GET")
	require.InDelta(t, goroutineRoom+1, v.Value, 0)
	require.Equal(t, "short", v.Word(Full))
}

func TestWhatWasNotMeasuredIsNeitherReachedNorShort(t *testing.T) {
	for _, v := range Judge(new(Results)) {
		require.False(t, v.Measured, v.Name)
		require.Equal(t, "not measured in --quick", v.Word(Quick))
		require.Equal(t, "not measured", v.Word(Full))
	}
}

func TestACaseOfWhichEveryCallFailedIsNotMeasured(t *testing.T) {
	r := new(Results)
	r.Add(at(Memory, Put, 256), Sample{Errors: 7})
	require.False(t, verdict(t, r, "client allocations per PUT, 256 callers").Measured)
}

func TestAScenariosFigureIsFoundByItsName(t *testing.T) {
	r := &Results{Figures: []Figure{{Name: "overload/goodput", Value: 0.8, Note: "8 of 10"}}}
	v := verdict(t, r, "overload at 3 × for 30 s: goodput to the highest")
	require.True(t, v.Reached)
	require.Equal(t, "8 of 10", v.Detail)
}

func TestNoTwoAimsHaveOneName(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Aims {
		require.False(t, seen[a.Name], a.Name)
		seen[a.Name] = true
	}
}

func TestALineTellsNameFigureAimAndWord(t *testing.T) {
	r := &Results{Mode: Quick}
	r.Add(at(FloorTCP, Put, 256), Sample{OpsPerSecond: 100_000})
	r.Add(at(Memory, Put, 256), Sample{OpsPerSecond: 50_000})
	var b bytes.Buffer
	require.NoError(t, WriteAims(&b, r))
	require.Contains(t, b.String(), "| PUT, memory nodes, 256 callers, to floor-tcp | 0.50 × | ≥ 0.60 × | short | 50,000/s ÷ 100,000/s |\n")
	require.Contains(t, b.String(), "| ring built | – | ≤ 100 ms | not measured in --quick |  |\n")
}
