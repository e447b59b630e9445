package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
)

// small is a run of a few moments.
func small(t *testing.T, only string) *Run {
	t.Helper()
	o := parse([]string{"--quick", "--only", only, "--rounds", "2", "--seconds", "0.05", "--keys", "10000", "--seed", "1"})
	o.dir = t.TempDir()
	r, err := newRun(o)
	require.NoError(t, err)
	t.Cleanup(r.close)
	return r
}

func TestARunMeasuresPairDBAndAPeerOnProcessesOfTheirOwn(t *testing.T) {
	r := small(t, "^(pairdb-memory|floor-tcp) (put|get), (1 |256|open)")
	require.NoError(t, r.measure(t.Context()))
	require.NoError(t, r.failed())
	require.Empty(t, r.Results.Remarks)
	require.Len(t, r.Results.Subjects, 2)
	for _, c := range []report.Case{
		{Subject: report.Memory, Workload: report.Put, Callers: 256},
		{Subject: report.Memory, Workload: report.Get, Callers: 1},
		{Subject: report.Memory, Workload: report.Get, Percent: 50},
		{Subject: report.FloorTCP, Workload: report.Put, Callers: 256},
		{Subject: report.FloorTCP, Workload: report.Get, Callers: 1},
	} {
		s, ok := r.Results.Of(c)
		require.True(t, ok, c.String())
		require.Positive(t, s.P50)
		require.GreaterOrEqual(t, s.P99, s.P50)
	}
}

func TestEveryWorkloadOfPairDBSucceeds(t *testing.T) {
	r := small(t, "^$")
	cases := []report.Case{
		{Subject: report.Pebble, Workload: report.Put, Callers: 8},
		{Subject: report.Pebble, Workload: report.PutBlind, Callers: 8},
		{Subject: report.Pebble, Workload: report.Get, Callers: 8, Zipf: true},
		{Subject: report.Pebble, Workload: report.Mix, Callers: 8},
		{Subject: report.Pebble, Workload: report.PutMany, Callers: 8},
		{Subject: report.Pebble, Workload: report.GetMany, Callers: 8},
		{Subject: report.Pebble, Workload: report.Put, Callers: 8, Bytes: 100_000},
		{Subject: report.Pebble, Workload: report.Get, Callers: 8, Keys: 20_000},
	}
	require.NoError(t, r.start(t.Context(), starters(), cases))
	for _, c := range cases {
		op, keys, err := r.subjects[c.Subject].op(c)
		require.NoError(t, err)
		caller := load.NewCaller(0, 1, keys)
		for range 25 { // so that a mix puts, too
			require.NoError(t, op(t.Context(), caller), c.String())
		}
	}
}

func TestARunLeavesNothingBehindWhenItIsInterrupted(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second} { // while it starts, and perhaps later
		r := small(t, "^pairdb-memory get")
		ctx, cancel := context.WithTimeout(t.Context(), after)
		r.Settings.Seconds, r.Settings.Rounds, r.limit = 60, 1, time.Hour
		require.Error(t, r.measure(ctx))
		cancel()
		r.close()
		require.NoDirExists(t, r.dir)
	}
}

func TestMeasurementsAreShortenedToFitTheLimit(t *testing.T) {
	r := &Run{Mode: report.Quick, begun: time.Now(), limit: time.Hour, only: all}
	r.Settings.Rounds, r.Settings.Seconds = 3, 0.6
	r.share(100)
	require.InDelta(t, 0.6, r.Settings.Seconds, 0, "there is time enough")
	r.limit = 100 * time.Second
	r.share(100)
	require.Less(t, r.Settings.Seconds, 0.34)
	require.Greater(t, r.Settings.Seconds, 0.0)
}

func TestADirectoryInMemoryIsRefused(t *testing.T) {
	if kind, _, err := fileSystemOf("/dev/shm"); err != nil || kind != "tmpfs" {
		t.Skip("there is no /dev/shm")
	}
	_, _, err := makeDir("/dev/shm", 0)
	require.ErrorContains(t, err, "--dir")
	_, _, err = makeDir(t.TempDir(), 1<<62)
	require.ErrorContains(t, err, "--dir")
}

func TestAStoredRunIsReportedAgain(t *testing.T) {
	results := filepath.Join("report", "testdata", "results.json")
	stdout := os.Stdout
	t.Cleanup(func() { os.Stdout = stdout })
	var err error
	os.Stdout, err = os.Create(filepath.Join(t.TempDir(), "report.md"))
	require.NoError(t, err)
	copied, charts := filepath.Join(t.TempDir(), "again.json"), t.TempDir()
	require.NoError(t, run(t.Context(), parse([]string{"--from", results, "--json", copied, "--charts", charts})))
	want, err := os.ReadFile(filepath.Join("report", "testdata", "report.md"))
	require.NoError(t, err)
	got, err := os.ReadFile(os.Stdout.Name())
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	require.FileExists(t, copied)
	require.FileExists(t, filepath.Join(charts, "throughput-put.svg"))
}

func TestARunThatWouldMeasureNothingSaysWhatThereIs(t *testing.T) {
	r := small(t, "^pairdb-memory put, 1 caller$")
	defer r.close()
	require.ErrorContains(t, r.measure(t.Context()), `"pairdb-memory put, 1 callers"`)
}
