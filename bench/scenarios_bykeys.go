package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/child"
	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
)

// keyCounts are the sizes of the stores. All but the first two are left out where storing them would take longer than
// the run has left, judged by the size before.
var keyCounts = []int{10_000, 100_000, 1_000_000, 10_000_000}

const (
	keyCostTime   = time.Second // of one measurement
	keyCostRounds = 2
	putKeys       = 10_000 // of any store, evenly spread: the client remembers them, so that a put is one round trip

	// Storing begins compactions, which are waited for: until the nodes take less than a twentieth of a core for
	// a while, but not for ever.
	settleEvery = time.Second
	settledCPU  = settleEvery / 20
	settleMost  = 2 * time.Minute
)

func costByKeysScenario() Scenario {
	return Scenario{Name: "cost by keys", Takes: 2 * time.Minute, Run: runCostByKeys}
}

// runCostByKeys measures the processor time of a request, the client's and the nodes', on one cluster of Pebble nodes
// that grows.
func runCostByKeys(ctx context.Context, r *Run) (found Findings, err error) {
	running, err := startNodes(ctx, r, replicas, true)
	if err != nil {
		return found, err
	}
	defer running.stop()
	s, err := openClient(ctx, r.withKeys(1), running.topology(), tenantID)
	if err != nil {
		return found, err
	}
	defer s.stop()
	k := &keyCosts{measurer: measurer{run: r}, subject: s, nodes: running, costs: newCosts(nil), until: r.begun.Add(r.limit - stopTime)}
	for i, n := range keyCounts {
		if i > 1 && !k.canStore(n) {
			r.remark("cost by keys: %s keys would not have been stored in time; a longer --limit allows them", report.Thousands(float64(n)))
			break
		}
		if err := k.grow(ctx, n); err != nil {
			return found, fmt.Errorf("%d keys: %w", n, err)
		}
		if err := k.measure(ctx); err != nil {
			return found, fmt.Errorf("%d keys: %w", n, err)
		}
	}
	return k.findings(), nil
}

type keyCosts struct {
	measurer
	subject *pairdbSubject
	nodes   *nodes
	until   time.Time
	keys    keyset
	each    time.Duration // what storing a key took
	costs   *costs
	rates   []string // of Get, by size
}

// canStore leaves time to settle and to measure, and for a larger store to take longer.
func (k *keyCosts) canStore(n int) bool {
	return time.Now().Add(time.Duration(n-k.keys.n)*k.each*3/2 + 20*time.Second).Before(k.until)
}

// settle waits for what storing began.
func (k *keyCosts) settle(ctx context.Context) {
	had := k.nodes.cpuTime()
	for end := time.Now().Add(settleMost); time.Now().Before(end); {
		select {
		case <-time.After(settleEvery):
		case <-ctx.Done():
			return
		}
		has := k.nodes.cpuTime()
		if has-had < settledCPU {
			return
		}
		had = has
	}
	k.run.remark("cost by keys: the nodes were still compacting %v after %s keys had been stored", settleMost, report.Thousands(float64(k.keys.n)))
}

// grow stores further keys until there are n.
func (k *keyCosts) grow(ctx context.Context, n int) error {
	const perCall = 500
	k.run.progress.show(true, "cost by keys: storing %s keys", report.Thousands(float64(n)))
	began, had := time.Now(), k.keys.n
	k.keys = newKeyset("n", n)
	value := k.run.value(k.run.Settings.ValueBytes)
	err := inParallel(ctx, 16, (n-had+perCall-1)/perCall, func(ctx context.Context, b int) error {
		from := had + b*perCall
		items := make([]pairdb.Item, 0, perCall)
		for i := from; i < min(n, from+perCall); i++ {
			items = append(items, pairdb.Item{Key: k.keys.key(i), Value: value})
		}
		return k.subject.tenant.PutMany(ctx, items, pairdb.NoContext()).FirstErr()
	})
	k.each = time.Since(began) / time.Duration(n-had)
	k.settle(ctx)
	return orEnded(ctx, err)
}

// measure measures the store as large as it is.
func (k *keyCosts) measure(ctx context.Context) error {
	t, value := k.subject.tenant, k.run.value(k.run.Settings.ValueBytes)
	putKey := func(i int) string { return k.keys.key(i % putKeys * (k.keys.n / putKeys)) }
	if err := inParallel(ctx, 256, putKeys, func(ctx context.Context, i int) error {
		_, err := t.Put(ctx, putKey(i), value)
		return err
	}); err != nil {
		return err
	}
	ops := map[string]load.Op{
		report.PutBlind: func(ctx context.Context, c *load.Caller) error {
			_, err := t.Put(ctx, putKey(c.Key()), value)
			return err
		},
		report.Get: func(ctx context.Context, c *load.Caller) error {
			object, err := t.Get(ctx, k.keys.key(c.Key()))
			return checked(object.Value, len(value), err)
		},
	}
	k.costs.grow(k.keys.n)
	rates := map[string][]float64{}
	for range keyCostRounds {
		for _, w := range []string{report.Get, report.PutBlind} {
			window := k.window(keyCostTime, load.Keys{N: k.keys.n})
			window.Servers = child.CPUTime
			one := load.Closed(ctx, ops[w], 256, window)
			if err := orEnded(ctx, one.Err); err != nil {
				return err
			}
			k.costs.add(w, len(k.costs.sizes)-1, microseconds(max(one.Process.AllCPU, one.Process.CPU)))
			rates[w] = append(rates[w], one.PerSecond)
		}
	}
	k.rates = append(k.rates, fmt.Sprintf("%s keys %s/s", report.Thousands(float64(k.keys.n)), report.Thousands(report.Median(rates[report.Get]))))
	return nil
}

func (k *keyCosts) findings() Findings {
	note := fmt.Sprintf("%s keys to %s, processor time of client and nodes, the worst of: ",
		report.Thousands(float64(k.costs.sizes[len(k.costs.sizes)-1])), report.Thousands(float64(k.costs.sizes[0])))
	name := "scaling/keys"
	if k.costs.sizes[len(k.costs.sizes)-1] != keyCounts[len(keyCounts)-1] {
		name += ", in part" // which is not what the aim is about
	}
	f := k.costs.figure(name, note)
	f.Note += "; get: " + strings.Join(k.rates, ", ")
	return Findings{
		Figures: []report.Figure{f},
		Curves:  []report.Curve{k.costs.curve("cost by keys", "keys", "processor time per request, µs, client and nodes")},
	}
}
