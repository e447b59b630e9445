package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/devrev/pairdb"
)

// A tally counts how often each process has counted. Two processes that count at once leave
// siblings; as each raises its own number alone, the larger ones are right.
type tally map[string]int

func (t tally) total() (n int) {
	for _, own := range t {
		n += own
	}
	return n
}

// merge is commutative, associative and idempotent, so that all who merge agree.
func merge(a, b tally) (tally, error) {
	merged := tally{}
	for _, t := range []tally{a, b} {
		for process, n := range t {
			merged[process] = max(merged[process], n)
		}
	}
	return merged, nil
}

func tallies(c *pairdb.Client) *pairdb.Typed[tally] {
	return pairdb.NewTyped(c.Tenant(payments), pairdb.JSON[tally]{}, merge)
}

// countWorker counts n things, and each of them twice, as who cannot know whether the first attempt
// took effect. The things are the same for all workers.
func countWorker(ctx context.Context, b backends, out *say, key string, n int) error {
	a, err := openApp(ctx, b, time.Minute, openOption{})
	if err != nil {
		return err
	}
	defer a.close()
	own := fmt.Sprint(os.Getpid())
	raise := func(o pairdb.TypedObject[tally]) (tally, error) { return merge(o.Value, tally{own: o.Value[own] + 1}) }
	var did event
	for i, thing := range append(rand.Perm(n), rand.Perm(n)...) {
		r, err := tallies(a.client).Update(ctx, key, raise, pairdb.WithIdempotencyKey(fmt.Sprintf("thing-%d", thing)))
		if err != nil {
			return err
		}
		did.Calls++
		if r.Duplicate {
			did.Duplicates++
		}
		if i == n/2 {
			out.event(event{What: "half"})
		}
	}
	did.What = "done"
	out.event(did)
	return nil
}

const (
	counterKey = "invoices"
	things     = 60
)

// counter shows that a number which several processes raise, all of them more than once, is exact.
func (s *stage) counter(ctx context.Context) error {
	s.out.step("Two processes count %d things, each of them every thing twice; one is killed, and a third goes on", things)
	var workers [3]*process
	start := func(i int) (err error) {
		workers[i], err = s.startWorker(ctx, "count", counterKey, itoa(things))
		return err
	}
	defer func() {
		for _, w := range workers {
			w.kill()
		}
	}()
	if err := start(0); err != nil {
		return err
	}
	if err := start(1); err != nil {
		return err
	}
	if _, err := workers[1].await(ctx, "half"); err != nil {
		return err
	}
	workers[1].kill()
	s.out.labelled("process "+itoa(workers[1].pid()), "killed while it was counting")
	if err := start(2); err != nil {
		return err
	}
	for _, i := range []int{0, 2} {
		done, err := workers[i].await(ctx, "done")
		if err != nil {
			return err
		}
		s.out.labelled("process "+itoa(workers[i].pid()), "%d updates, %d of them duplicates", done.Calls, done.Duplicates)
	}
	return s.showTally(ctx)
}

func (s *stage) showTally(ctx context.Context) error {
	obj, err := tallies(s.app.client).Get(ctx, counterKey)
	if err != nil {
		return err
	}
	writes, _ := s.audit.effects(payments, counterKey)
	s.out.labelled("the counter", "%d of %d, by %d processes; writes on the nodes: %d", obj.Value.total(), things, len(obj.Value), writes)
	s.out.expect(obj.Value.total() == things, "%d", things)
	return nil
}
