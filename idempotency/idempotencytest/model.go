package idempotencytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
)

const (
	historiesAlone  = 100 // of one goroutine
	historiesAtOnce = 100 // of some
)

var models = []storeCase{
	{"random calls one after the other are answered as a record would", func(t *testing.T, f *fixture) {
		for range historiesAlone {
			f.history(t, 1, 24)
		}
	}},
	{"random calls at once are answered as if made in some order", func(t *testing.T, f *fixture) {
		for range historiesAtOnce {
			f.history(t, 4, 6)
		}
	}},
}

// history makes random calls on one key, and fails the test unless there is an order of them that explains
// the answers, and in which each call that ended before another began comes first
// (Herlihy and Wing, "Linearizability", 1990).
func (f *fixture) history(t *testing.T, goroutines, steps int) {
	t.Helper()
	seed := rand.Uint64()
	key := freshKey()
	events := make([]event, goroutines*steps)
	errs := make([]error, goroutines)
	var clock atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(g)))
			for n := range steps {
				e := &events[g*steps+n]
				e.request = randomRequest(random)
				e.began = clock.Add(1)
				e.answer, errs[g] = f.ask(t, key, e.request)
				e.ended = clock.Add(1)
				if errs[g] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...), "seed %d", seed)
	if !explained(events) {
		require.Fail(t, "no order of the calls explains their answers", "seed %d\n%s", seed, describe(events))
	}
}

// A request is one call. Writes are named by small numbers.
type request struct {
	kind        kind
	write, old  int
	resultAcked int
}

type kind int

const (
	lookup kind = iota
	begin
	complete
	replace
	kinds
)

// The state of a record, and an answer that shows it.
type recordState struct {
	present, done bool
	write, acked  int
}

type answer struct {
	record   recordState
	mine     bool
	replaced bool // ErrReplaced
}

type event struct {
	request      request
	answer       answer
	began, ended int64
}

func randomRequest(r *rand.Rand) request {
	const writes = 3
	return request{kind: kind(r.IntN(int(kinds))), write: r.IntN(writes), old: r.IntN(writes), resultAcked: r.IntN(3)}
}

// ask makes the call.
func (f *fixture) ask(t *testing.T, key idempotency.Key, r request) (answer, error) {
	ctx, intent := t.Context(), put(r.write, fmt.Sprint(r.write))
	switch r.kind {
	case lookup:
		rec, found, err := f.Lookup(ctx, key)
		a := answer{record: stateOf(rec)}
		if err == nil && found != a.record.present {
			err = fmt.Errorf("found %v, and the record %+v", found, rec)
		}
		return a, err
	case begin:
		rec, mine, err := f.Begin(ctx, key, intent, long)
		return answer{record: stateOf(rec), mine: mine}, err
	case replace:
		rec, mine, err := f.Replace(ctx, key, put(r.old, "").Dot(), intent, long)
		return answer{record: stateOf(rec), mine: mine}, err
	default:
		err := f.Complete(ctx, key, intent, idempotency.Result{Acked: r.resultAcked}, long)
		if errors.Is(err, idempotency.ErrReplaced) {
			return answer{replaced: true}, nil
		}
		return answer{}, err
	}
}

func stateOf(rec idempotency.Record) recordState {
	for n := range 3 {
		if rec.Intent.Dot() == put(n, "").Dot() {
			return recordState{present: true, done: rec.Done, write: n, acked: rec.Result.Acked}
		}
	}
	return recordState{}
}

// after is the contract of idempotency.Store, time to live aside.
func (s recordState) after(r request) (recordState, answer) {
	fresh := recordState{present: true, write: r.write}
	switch {
	case r.kind == lookup:
		return s, answer{record: s}
	case r.kind == complete && !s.present, r.kind == complete && s.write == r.write && !s.done:
		fresh.done, fresh.acked = true, r.resultAcked
		return fresh, answer{}
	case r.kind == complete:
		return s, answer{replaced: s.write != r.write}
	case !s.present, r.kind == replace && !s.done && s.write == r.old:
		return fresh, answer{record: fresh, mine: true}
	default:
		return s, answer{record: s, mine: s.write == r.write}
	}
}

// explained looks for an order of the events, depth first. What was tried is a
// set of events and the state that they led to.
func explained(events []event) bool {
	type point struct {
		taken uint64
		state recordState
	}
	tried := make(map[point]bool)
	var from func(p point) bool
	from = func(p point) bool {
		if p.taken == 1<<len(events)-1 {
			return true
		}
		if tried[p] {
			return false
		}
		tried[p] = true
		for n, e := range events {
			if p.taken&(1<<n) != 0 || !mayBeNext(events, p.taken, e) {
				continue
			}
			state, want := p.state.after(e.request)
			if want == e.answer && from(point{p.taken | 1<<n, state}) {
				return true
			}
		}
		return false
	}
	return from(point{})
}

// mayBeNext reports whether no event that is not taken ended before e began.
func mayBeNext(events []event, taken uint64, e event) bool {
	for n, other := range events {
		if taken&(1<<n) == 0 && other.ended < e.began {
			return false
		}
	}
	return true
}

func describe(events []event) string {
	var s string
	for _, e := range events {
		s += fmt.Sprintf("%d–%d: %+v → %+v\n", e.began, e.ended, e.request, e.answer)
	}
	return s
}
