package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/report"
)

var all = regexp.MustCompile("")

func subjectNames() []string {
	var names []string
	for _, s := range starters() {
		names = append(names, s.Name)
	}
	return names
}

// pretend is a run of a mode in which every case was measured.
func pretend(mode string) *report.Results {
	closed, open := plan(mode, subjectNames(), all)
	r := &report.Results{Mode: mode}
	for _, c := range append(closed, open...) {
		r.Add(c, report.Sample{OpsPerSecond: 1, P50: 1})
	}
	return r
}

func TestAFullRunMeasuresEveryAimThatNoScenarioDoes(t *testing.T) {
	figures := 0
	for _, v := range report.Judge(pretend(report.Full)) {
		if !v.Measured {
			figures++
			require.NotContains(t, v.Name, "caller", "an aim of the rounds is not measured")
		}
	}
	require.Less(t, figures, len(report.Aims)/2+1)
}

func TestAQuickRunMeasuresWhatTheFullRunMeasuresButForAMillionKeys(t *testing.T) {
	quick := report.Judge(pretend(report.Quick))
	for i, full := range report.Judge(pretend(report.Full)) {
		if full.Measured && !quick[i].Measured {
			require.Contains(t, full.Name, "1,000,000 keys")
		}
	}
}

func TestNoCaseIsMeasuredTwiceInARound(t *testing.T) {
	for _, mode := range []string{report.Full, report.Quick} {
		closed, open := plan(mode, subjectNames(), all)
		seen := map[report.Case]bool{}
		for _, c := range append(closed, open...) {
			require.False(t, seen[c], c.String())
			seen[c] = true
			require.True(t, (c.Callers > 0) != (c.Percent > 0), c.String())
		}
	}
}

func TestOnlyMeasuresWhatMatches(t *testing.T) {
	closed, open := plan(report.Full, subjectNames(), regexp.MustCompile("^unary get"))
	require.NotEmpty(t, closed)
	require.NotEmpty(t, open)
	for _, c := range append(closed, open...) {
		require.True(t, strings.HasPrefix(c.String(), "unary get"))
	}
}

func TestARoundIsTheSameCasesInAnOrderThatItsSeedGives(t *testing.T) {
	cases, _ := plan(report.Full, subjectNames(), all)
	first := shuffled(cases, 7, 0)
	require.ElementsMatch(t, cases, first)
	require.Equal(t, first, shuffled(cases, 7, 0))
	require.NotEqual(t, first, shuffled(cases, 7, 1))
	require.NotEqual(t, first, shuffled(cases, 8, 0))
	require.NotEqual(t, first, cases)
}
