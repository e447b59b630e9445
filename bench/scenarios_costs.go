package main

import (
	"fmt"
	"strings"

	"github.com/devrev/pairdb/bench/report"
)

// costs are what a request costs at several sizes of something, for several lines of a chart, in several rounds.
type costs struct {
	sizes []int
	names []string               // of the lines, in the order in which they came
	found map[string][][]float64 // by line and size: of each round
}

func newCosts(sizes []int) *costs { return &costs{sizes: sizes, found: map[string][][]float64{}} }

// grow adds a size.
func (c *costs) grow(size int) {
	c.sizes = append(c.sizes, size)
	for line := range c.found {
		c.found[line] = append(c.found[line], nil)
	}
}

func (c *costs) add(line string, size int, cost float64) {
	if c.found[line] == nil {
		c.names = append(c.names, line)
		c.found[line] = make([][]float64, len(c.sizes))
	}
	c.found[line][size] = append(c.found[line][size], cost)
}

// medians of the rounds, by size.
func (c *costs) medians(line string) []float64 {
	list := make([]float64, 0, len(c.sizes))
	for _, rounds := range c.found[line] {
		list = append(list, report.Median(rounds))
	}
	return list
}

// growth is the largest size's cost to the smallest's.
func growth(medians []float64) float64 {
	if len(medians) == 0 || medians[0] == 0 {
		return 0
	}
	return medians[len(medians)-1] / medians[0]
}

// figure is the growth of the line that grows most, with all lines in its note.
func (c *costs) figure(name, note string) report.Figure {
	f := report.Figure{Name: name, Unit: "×"}
	var lines []string
	for _, line := range c.names {
		medians := c.medians(line)
		f.Value = max(f.Value, growth(medians))
		lines = append(lines, fmt.Sprintf("%s %.1f µs ÷ %.1f µs", line, medians[len(medians)-1], medians[0]))
	}
	f.Note = note + strings.Join(lines, "; ")
	return f
}

func (c *costs) curve(name, x, y string) report.Curve {
	curve := report.Curve{Name: name, X: x, Y: y, LogX: true}
	for _, name := range c.names {
		line := report.Line{Name: name}
		for i, cost := range c.medians(name) {
			line.Points = append(line.Points, report.Point{X: float64(c.sizes[i]), Y: cost})
		}
		curve.Lines = append(curve.Lines, line)
	}
	return curve
}
