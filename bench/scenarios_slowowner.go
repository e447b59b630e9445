package main

import (
	"context"
	"fmt"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/report"
)

// ownerDelay is what is added to all that the slow owner answers.
const ownerDelay = 50 * time.Millisecond

// How often each of the measurements is made, in turns: a 99th percentile on shared cores is often that of one stall.
const slowRounds, slowRoundsQuick = 7, 3

func slowOwnerScenario() Scenario {
	return Scenario{Name: "slow owner", Quick: true, Takes: 8 * time.Second, Run: runSlowOwner}
}

// runSlowOwner measures at half load, in turns, a client and one whose answers from one of the three owners are late.
func runSlowOwner(ctx context.Context, r *Run) (found Findings, err error) {
	running, err := startNodes(ctx, r, replicas, false)
	if err != nil {
		return found, err
	}
	defer running.stop()
	quick, err := openClient(ctx, r, running.topology(), "quick")
	if err != nil {
		return found, err
	}
	defer quick.stop()
	slow, err := openClient(ctx, r, running.topology(), "slow", pairdb.WithDialer(slowDialer(running.all[0].Line, ownerDelay)))
	if err != nil {
		return found, fmt.Errorf("with a slow owner: %w", err)
	}
	defer slow.stop()
	s := &slowOwner{
		measurer: measurer{run: r}, quick: quick, slow: slow,
		length: inMode(r, 400*time.Millisecond, 250*time.Millisecond), rounds: inMode(r, slowRounds, slowRoundsQuick),
	}
	for _, w := range []string{report.Put, report.Get} {
		figures, err := s.measure(ctx, w)
		found.Figures = append(found.Figures, figures...)
		if err != nil {
			return found, fmt.Errorf("%s: %w", w, err)
		}
	}
	return found, nil
}

type slowOwner struct {
	measurer
	quick, slow *pairdbSubject
	length      time.Duration // of one measurement
	rounds      int
}

func (s *slowOwner) measure(ctx context.Context, workload string) ([]report.Figure, error) {
	highest, err := s.closed(ctx, s.quick, workload, 256, s.length)
	if err != nil {
		return nil, err
	}
	rate := highest.PerSecond / 2
	var without, with []float64
	failed := int64(0)
	for round := range s.rounds {
		for _, slow := range []bool{round%2 == 0, round%2 == 1} {
			subject, times := s.quick, &without
			if slow {
				subject, times = s.slow, &with
			}
			s.run.progress.show(false, "slow owner: round %d of %d, %s at %s/s, slow: %v", round+1, s.rounds, workload, report.Thousands(rate), slow)
			r, err := s.open(ctx, subject, workload, rate, s.length)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				s.run.remark("slow owner: %s, slow %v: %v", workload, slow, err)
			}
			failed += r.Errors
			*times = append(*times, milliseconds(r.Latency.P99))
		}
	}
	return slowFigures(workload, rate, without, with, failed), nil
}

// slowFigures compares the medians of the rounds' 99th percentiles, in milliseconds.
func slowFigures(workload string, rate float64, without, with []float64, failed int64) []report.Figure {
	x, y := report.Median(with), report.Median(without)
	if y == 0 {
		return nil
	}
	note := fmt.Sprintf("p99 %.2f ms ÷ %.2f ms, at %s/s", x, y, report.Thousands(rate))
	if failed > 0 {
		note += fmt.Sprintf(", %d failed", failed)
	}
	return []report.Figure{{Name: "slow-owner/" + workload + "-p99", Value: x / y, Unit: "×", Note: note}}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
