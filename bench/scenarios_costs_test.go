package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/report"
)

func TestTheFigureOfCostsIsTheGrowthOfTheLineThatGrowsMost(t *testing.T) {
	c := newCosts([]int{3, 100})
	for _, cost := range []float64{10, 12, 50} { // the median is 12
		c.add("put", 0, cost)
	}
	c.add("put", 1, 18)
	c.add("get", 0, 10)
	c.add("get", 1, 11)
	f := c.figure("scaling/nodes", "")
	require.InDelta(t, 1.5, f.Value, 1e-9)
	require.Contains(t, f.Note, "get 11.0 µs ÷ 10.0 µs")
	require.Equal(t, report.Line{Name: "put", Points: []report.Point{{X: 3, Y: 12}, {X: 100, Y: 18}}}, c.curve("", "", "").Lines[0])
}

func TestCostsGrowByASize(t *testing.T) {
	c := newCosts(nil)
	for i, cost := range []float64{4, 6} {
		c.grow(10 * (i + 1))
		c.add("get", i, cost)
	}
	require.Equal(t, []float64{4, 6}, c.medians("get"))
	require.InDelta(t, 1.5, c.figure("", "").Value, 1e-9)
}
