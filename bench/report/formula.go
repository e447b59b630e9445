package report

import "fmt"

// A formula computes a figure from results, and says from what; false if something that it needs was not measured.
type formula func(*Results) (value float64, detail string, measured bool)

// at is a closed loop with the run's default keys and values.
func at(subject, workload string, callers int) Case {
	return Case{Subject: subject, Workload: workload, Callers: callers}
}

// open is an open loop.
func open(subject, workload string, percent int) Case {
	return Case{Subject: subject, Workload: workload, Percent: percent}
}

// Million is the number of keys of the larger store.
const Million = 1_000_000

func million(c Case) Case {
	c.Keys = Million
	return c
}

func rate(c Case) formula {
	return sampled(c, func(s Sample) (float64, string) { return s.OpsPerSecond, Thousands(s.OpsPerSecond) + "/s" })
}

func p50(c Case) formula {
	return sampled(c, func(s Sample) (float64, string) { return s.P50, micros(s.P50) })
}

func p99(c Case) formula {
	return sampled(c, func(s Sample) (float64, string) { return s.P99, micros(s.P99) })
}

func allocs(c Case) formula {
	return sampled(c, func(s Sample) (float64, string) { return s.Allocs, "" })
}

// beside is how many goroutines there were beside the callers.
func beside(c Case) formula {
	return sampled(c, func(s Sample) (float64, string) {
		return s.Goroutines - float64(c.Callers), Thousands(s.Goroutines) + " in all"
	})
}

func sampled(c Case, of func(Sample) (float64, string)) formula {
	return func(r *Results) (float64, string, bool) {
		s, ok := r.Of(c)
		if !ok {
			return 0, "", false
		}
		value, detail := of(s)
		return value, detail, true
	}
}

func ratio(a, b formula) formula {
	return func(r *Results) (float64, string, bool) {
		x, dx, okX := a(r)
		y, dy, okY := b(r)
		if !okX || !okY || y == 0 {
			return 0, "", false
		}
		return x / y, fmt.Sprintf("%s ÷ %s", dx, dy), true
	}
}

func sum(a, b formula) formula {
	return func(r *Results) (float64, string, bool) {
		x, dx, okX := a(r)
		y, dy, okY := b(r)
		return x + y, fmt.Sprintf("(%s + %s)", dx, dy), okX && okY
	}
}

// figure is what a scenario found.
func figure(name string) formula {
	return func(r *Results) (float64, string, bool) {
		f, ok := r.Figure(name)
		return f.Value, f.Note, ok
	}
}
