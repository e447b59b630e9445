package main

import (
	"math/rand/v2"
	"regexp"

	"github.com/devrev/pairdb/bench/report"
)

// batch is how many keys a call of GetMany or PutMany has.
const batch = 100

var (
	allCallers = []int{1, 16, 64, 256, 1024}
	percents   = []int{25, 50, 75}
	valueSizes = []int{10, 100, 1_000, 10_000, 100_000, 1 << 20}
)

// sizeCallers is for large values: with more callers a measurement is over before each has made two calls.
const sizeCallers = 16

func isPairDB(subject string) bool { return subject == report.Memory || subject == report.Pebble }

// plan lists the closed loops and the open loops of a mode. The open loops come after all rounds of the closed
// ones, which find the highest throughput.
func plan(mode string, subjects []string, only *regexp.Regexp) (closed, open []report.Case) {
	for _, s := range subjects {
		if mode == report.Quick {
			closed, open = append(closed, quickCases(s)...), append(open, quickOpen(s)...)
		} else {
			closed, open = append(closed, fullCases(s)...), append(open, fullOpen(s)...)
		}
	}
	return matching(closed, only), matching(open, only)
}

func matching(cases []report.Case, only *regexp.Regexp) []report.Case {
	var list []report.Case
	for _, c := range cases {
		if only.MatchString(c.String()) {
			list = append(list, c)
		}
	}
	return list
}

func quickCases(subject string) []report.Case {
	switch {
	case subject == report.Disk:
		return loops(subject, report.Sync, 1)
	case isPairDB(subject):
		return append(putsAndGets(subject, 1, 256), loops(subject, report.PutBlind, 256)...)
	}
	if subject == report.FloorTCPPlain {
		return putsAndGets(subject, 256)
	}
	return putsAndGets(subject, 1, 256)
}

func quickOpen(subject string) []report.Case {
	if !isPairDB(subject) {
		return nil
	}
	return []report.Case{{Subject: subject, Workload: report.Put, Percent: 50}, {Subject: subject, Workload: report.Get, Percent: 50}}
}

func fullCases(subject string) []report.Case {
	if subject == report.Disk {
		return loops(subject, report.Sync, 1)
	}
	if subject == report.FloorTCPPlain {
		return putsAndGets(subject, 1, 64, 256)
	}
	list := append(putsAndGets(subject, allCallers...), loops(subject, report.Mix, 64, 256)...)
	if isPairDB(subject) {
		list = append(list, loops(subject, report.PutBlind, 1, 64, 256)...)
		list = append(list, loops(subject, report.PutMany, 1, 16)...)
		list = append(list, loops(subject, report.GetMany, 1, 16)...)
	}
	if subject == report.Pebble {
		list = append(list, report.Case{Subject: subject, Workload: report.Get, Callers: 256, Keys: report.Million})
	}
	if isPairDB(subject) || subject == report.FloorTCP {
		for _, w := range []string{report.Put, report.Get} {
			list = append(list, report.Case{Subject: subject, Workload: w, Callers: 256, Zipf: true})
			for _, size := range valueSizes {
				list = append(list, report.Case{Subject: subject, Workload: w, Callers: sizeCallers, Bytes: size})
			}
		}
	}
	return list
}

func fullOpen(subject string) []report.Case {
	if subject == report.Disk || subject == report.FloorTCPPlain {
		return nil
	}
	var list []report.Case
	for _, w := range []string{report.Put, report.Get} {
		for _, p := range percents {
			list = append(list, report.Case{Subject: subject, Workload: w, Percent: p})
		}
	}
	return list
}

func putsAndGets(subject string, callers ...int) []report.Case {
	return append(loops(subject, report.Put, callers...), loops(subject, report.Get, callers...)...)
}

func loops(subject, workload string, callers ...int) []report.Case {
	var list []report.Case
	for _, n := range callers {
		list = append(list, report.Case{Subject: subject, Workload: workload, Callers: n})
	}
	return list
}

// shuffled returns the cases in the order of one round, so that none always follows the same one.
func shuffled(cases []report.Case, seed uint64, round int) []report.Case {
	order := append([]report.Case(nil), cases...)
	rand.New(rand.NewPCG(seed, uint64(round))).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
