package report

import (
	"fmt"
	"io"
)

// An Aim is a figure to reach, and how a run's results give it. A figure counts as reached if it is at least, or at
// most, the bound.
type Aim struct {
	Name   string
	Is     comparison
	Bound  float64
	Unit   string // of figure and bound: "×" for a ratio
	Figure formula
}

type comparison string

const (
	atLeast comparison = "≥"
	atMost  comparison = "≤"
)

// goroutineRoom is the "small constant" of goroutines beside the callers: the connections' and the client's own for three
// nodes.
const goroutineRoom = 64

// Aims are the figures to reach, in the order in which they are said. Those that are ratios hold within one run.
var Aims = []Aim{
	{"PUT, memory nodes, 256 callers, to floor-tcp", atLeast, 0.60, "×", ratio(rate(at(Memory, Put, 256)), rate(at(FloorTCP, Put, 256)))},
	{"PUT, memory nodes, 256 callers, to floor-grpc", atLeast, 1.0, "×", ratio(rate(at(Memory, Put, 256)), rate(at(FloorGRPC, Put, 256)))},
	{"PUT, memory nodes, 256 callers, to unary", atLeast, 6, "×", ratio(rate(at(Memory, Put, 256)), rate(at(Unary, Put, 256)))},
	{"GET, memory nodes, 256 callers, to floor-tcp", atLeast, 0.60, "×", ratio(rate(at(Memory, Get, 256)), rate(at(FloorTCP, Get, 256)))},
	{"PUT, Pebble nodes, 256 callers, to floor-tcp", atLeast, 0.30, "×", ratio(rate(at(Pebble, Put, 256)), rate(at(FloorTCP, Put, 256)))},
	{"PUT, Pebble nodes, 256 callers, to etcd", atLeast, 4, "×", ratio(rate(at(Pebble, Put, 256)), rate(at(Etcd, Put, 256)))},
	{"PUT, Pebble nodes, 256 callers, to Redis always", atLeast, 1.5, "×", ratio(rate(at(Pebble, Put, 256)), rate(at(RedisAlways, Put, 256)))},
	{"GET, Pebble nodes, 1,000,000 keys, 256 callers, to floor-tcp", atLeast, 0.5, "×", ratio(rate(million(at(Pebble, Get, 256))), rate(at(FloorTCP, Get, 256)))},

	{"GET p50, memory nodes, 1 caller, to floor-grpc", atMost, 1.3, "×", ratio(p50(at(Memory, Get, 1)), p50(at(FloorGRPC, Get, 1)))},
	{"PUT p50, memory nodes, 1 caller, to floor-grpc", atMost, 1.3, "×", ratio(p50(at(Memory, Put, 1)), p50(at(FloorGRPC, Put, 1)))},
	{"PUT p50, Pebble nodes, 1 caller, to fdatasync + floor-grpc", atMost, 1.4, "×", ratio(p50(at(Pebble, Put, 1)), sum(p50(at(Disk, Sync, 1)), p50(at(FloorGRPC, Put, 1))))},
	{"PUT p99 with one slow owner (50 ms), half load", atMost, 1.5, "×", figure("slow-owner/put-p99")},
	{"GET p99 with one slow owner (50 ms), half load", atMost, 1.5, "×", figure("slow-owner/get-p99")},
	{"PUT p99 to p50, memory nodes, open loop at 50 %", atMost, 5, "×", ratio(p99(open(Memory, Put, 50)), p50(open(Memory, Put, 50)))},
	{"GET p99 to p50, memory nodes, open loop at 50 %", atMost, 5, "×", ratio(p99(open(Memory, Get, 50)), p50(open(Memory, Get, 50)))},
	{"PUT p99 to p50, Pebble nodes, open loop at 50 %", atMost, 5, "×", ratio(p99(open(Pebble, Put, 50)), p50(open(Pebble, Put, 50)))},
	{"GET p99 to p50, Pebble nodes, open loop at 50 %", atMost, 5, "×", ratio(p99(open(Pebble, Get, 50)), p50(open(Pebble, Get, 50)))},

	{"ring lookup, token hashed, 1,000 nodes × 150 vnodes", atMost, 10, "ns", figure("ring/lookup-token")},
	{"ring lookup, from tenant and key", atMost, 30, "ns", figure("ring/lookup-key")},
	{"ring lookup, allocations", atMost, 0, "", figure("ring/lookup-allocs")},
	{"ring built", atMost, 100, "ms", figure("ring/build")},
	{"clock compare, 3 entries", atMost, 10, "ns", figure("clock/compare-3")},
	{"clock compare, 50 entries", atMost, 100, "ns", figure("clock/compare-50")},
	{"clock compare, allocations", atMost, 0, "", figure("clock/compare-allocs")},
	{"join of two states with one sibling each", atMost, 100, "ns", figure("clock/join")},
	{"join, allocations", atMost, 2, "", figure("clock/join-allocs")},

	{"client allocations per PUT, 256 callers", atMost, 12, "", allocs(at(Memory, Put, 256))},
	{"client allocations per GET, 256 callers", atMost, 12, "", allocs(at(Memory, Get, 256))},
	{"goroutines beside 256 callers, PUT", atMost, goroutineRoom, "", beside(at(Memory, Put, 256))},
	{"goroutines beside 256 callers, GET", atMost, goroutineRoom, "", beside(at(Memory, Get, 256))},
	{"client memory: 10,000 idle tenants, 100 nodes, 1,000 keys", atMost, 64, "MiB", figure("memory/client")},
	{"cost per request, 100 nodes to 3 (simulated)", atMost, 1.3, "×", figure("scaling/nodes")},
	{"cost per request, 10,000,000 keys to 10,000 (Pebble)", atMost, 2, "×", figure("scaling/keys")},
	{"overload at 3 × for 30 s: goodput to the highest", atLeast, 0.80, "×", figure("overload/goodput")},
	{"overload: calls without an answer by their deadline", atMost, 0, "", figure("overload/late")},
	{"overload: client memory, in use at the most", atMost, 256, "MiB", figure("overload/memory")},
}

// comparisons are ratios that say more about the aims, without a bound of their own.
var comparisons = []struct {
	name   string
	figure formula
}{
	{"PUT, memory nodes, 256 callers, to floor-tcp-plain", ratio(rate(at(Memory, Put, 256)), rate(at(FloorTCPPlain, Put, 256)))},
	{"GET, memory nodes, 256 callers, to floor-tcp-plain", ratio(rate(at(Memory, Get, 256)), rate(at(FloorTCPPlain, Get, 256)))},
	{"PUT, Pebble nodes, 256 callers, to floor-tcp-plain", ratio(rate(at(Pebble, Put, 256)), rate(at(FloorTCPPlain, Put, 256)))},
	{"PUT, floor-grpc to floor-tcp, 256 callers", ratio(rate(at(FloorGRPC, Put, 256)), rate(at(FloorTCP, Put, 256)))},
}

// A Verdict is an aim with what a run reached.
type Verdict struct {
	Aim
	Value    float64
	Detail   string // what the value was computed from, or a note
	Measured bool
	Reached  bool
}

// Judge computes each aim from the results.
func Judge(r *Results) []Verdict {
	list := make([]Verdict, 0, len(Aims))
	for _, a := range Aims {
		v := Verdict{Aim: a}
		v.Value, v.Detail, v.Measured = a.Figure(r)
		v.Reached = v.Measured && (a.Is == atLeast && v.Value >= a.Bound || a.Is == atMost && v.Value <= a.Bound)
		list = append(list, v)
	}
	return list
}

// Word is ok, short, or that the run's mode has not measured it.
func (v Verdict) Word(mode string) string {
	switch {
	case v.Reached:
		return "ok"
	case v.Measured:
		return "short"
	case mode == Quick:
		return "not measured in --quick"
	}
	return "not measured"
}

// WriteAims writes one line per aim: name, figure, aim, and ok or short.
func WriteAims(w io.Writer, r *Results) error {
	if _, err := fmt.Fprint(w, "## The aims\n\n| aim | figure | to reach | | from |\n|---|---:|---:|---|---|\n"); err != nil {
		return err
	}
	for _, v := range Judge(r) {
		value := "–"
		if v.Measured {
			value = withUnit(v.Value, v.Unit)
		}
		bound := string(v.Is) + " " + withUnit(v.Bound, v.Unit)
		if _, err := fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", v.Name, value, bound, v.Word(r.Mode), v.Detail); err != nil {
			return err
		}
	}
	return nil
}

// writeBeside writes what can be told of those.
func writeBeside(w io.Writer, r *Results) error {
	head := "## Beside the aims\n\n| ratio | figure | from |\n|---|---:|---|\n"
	for _, b := range comparisons {
		value, detail, measured := b.figure(r)
		if !measured {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s| %s | %s × | %s |\n", head, b.name, digits(value), detail); err != nil {
			return err
		}
		head = ""
	}
	if head == "" {
		_, err := fmt.Fprintln(w)
		return err
	}
	return nil
}

func withUnit(x float64, unit string) string {
	s := Thousands(x)
	if unit == "×" {
		s = digits(x)
	}
	if unit != "" {
		s += " " + unit
	}
	return s
}
