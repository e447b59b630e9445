package main

import (
	"context"
	"time"

	"github.com/devrev/pairdb/bench/report"
)

// A Scenario measures what is no case of a workload and a number of callers: a slow owner, an overload, a curve.
// Scenarios run one after the other when the rounds are over, with the subjects idle. Their figures are named in the
// aims (report/aims.go).
type Scenario struct {
	Name  string
	Quick bool          // whether it runs with --quick too
	Takes time.Duration // about; it is set aside within the run's limit
	Run   func(ctx context.Context, r *Run) (Findings, error)
}

// Findings are what a scenario found.
type Findings struct {
	Figures []report.Figure
	Curves  []report.Curve
}
