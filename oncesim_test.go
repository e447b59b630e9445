package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

// P7 in seeded runs: several processes repeat the same requests while they die at every step, nodes and
// the store fail, clocks differ and write windows pass. Each idempotency key has one dot.
func TestAnIdempotencyKeyHasOneDotWhateverFails(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	if n, err := strconv.Atoi(os.Getenv("PAIRDB_SIM_SEEDS")); err == nil {
		seeds = n
	}
	var total onceCounts
	for seed := 1; seed <= seeds; seed++ {
		if only := os.Getenv("PAIRDB_SIM_SEED"); only != "" && only != strconv.Itoa(seed) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			s := newOnceSimulation(t, uint64(seed))
			s.run()
			total.add(&s.counts)
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d seeds: %d requests, %d calls (%d acknowledged, %d of them duplicates, %d not applied, %d unknown), %d processes killed; "+
		"replays %d, settled %d, replaced %d; one dot each",
		seeds, total.requests, total.calls, total.acked, total.duplicates, total.notApplied, total.unknown, total.killed,
		total.events[pairdb.KeyReplayed], total.events[pairdb.KeySettled], total.events[pairdb.KeyReplaced])
	require.NotZero(t, total.events[pairdb.KeySettled])
	require.NotZero(t, total.events[pairdb.KeyReplaced])
}

type onceCounts struct {
	requests, calls, acked, duplicates, notApplied, unknown, killed int
	events                                                          [8]int
}

func (c *onceCounts) add(o *onceCounts) {
	c.requests += o.requests
	c.calls += o.calls
	c.acked += o.acked
	c.duplicates += o.duplicates
	c.notApplied += o.notApplied
	c.unknown += o.unknown
	c.killed += o.killed
	for i := range o.events {
		c.events[i] += o.events[i]
	}
}

// onceRequest is what all processes try to do, once.
type onceRequest struct {
	tenant, key, token, value string
	write                     func(ctx context.Context, k *pairdb.Tenant) (pairdb.Receipt, error)

	dots map[vclock.Dot]bool // of receipts
}

type onceSimulation struct {
	*simulation // nodes and their faults
	store       idempotency.Store
	requests    []*onceRequest

	mu     sync.Mutex
	counts onceCounts // guarded by mu, as the requests' dots
}

func newOnceSimulation(t *testing.T, seed uint64) *onceSimulation {
	tenants, err := tenant.Static(tenant.Config{ID: "t"}, tenant.Config{ID: "last", Policy: pairdb.LastWriteWins})
	require.NoError(t, err)
	s := &onceSimulation{
		simulation: &simulation{
			t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), start: time.Now(),
			cluster: pairdbtest.New(t, 3, pairdbtest.Seed(seed), pairdbtest.Tenants(tenants)),
		},
		store: idempotency.NewMemory(0),
	}
	for i := range 12 {
		s.requests = append(s.requests, s.request(i))
	}
	s.counts.requests = len(s.requests)
	return s
}

func (s *onceSimulation) request(i int) *onceRequest {
	r := &onceRequest{
		tenant: "t", key: "key" + strconv.Itoa(s.rand.IntN(4)), token: strconv.Itoa(i),
		value: "v" + strconv.Itoa(i), dots: map[vclock.Dot]bool{},
	}
	once := pairdb.WithIdempotencyKey(r.token)
	kind := s.rand.IntN(6)
	if kind == 5 {
		r.tenant, kind = "last", s.rand.IntN(2)
	}
	r.write = func(ctx context.Context, k *pairdb.Tenant) (pairdb.Receipt, error) {
		switch kind {
		case 0:
			return k.Put(ctx, r.key, []byte(r.value), once)
		case 1:
			return k.Delete(ctx, r.key, once)
		case 2:
			return k.Put(ctx, r.key, []byte(r.value), once, pairdb.NoContext())
		default:
			return k.Update(ctx, r.key, func(pairdb.Object) ([]byte, error) { return []byte(r.value), nil }, once)
		}
	}
	return r
}

func (s *onceSimulation) run() {
	ctx, stopFaults := context.WithCancel(s.t.Context())
	var workers, nemesis sync.WaitGroup
	nemesis.Go(func() { s.nemesis(ctx) })
	for p := range 3 {
		workers.Go(func() { s.process(p) })
	}
	workers.Wait()
	stopFaults()
	nemesis.Wait()
	s.heal()
	s.finishOnce()
}

// process is one process after the other: each repeats requests until it dies.
func (s *onceSimulation) process(p int) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(20+p)))
	for range 5 {
		store := &mortalStore{Store: s.store, die: rng.IntN(24), torn: rng.IntN(2) == 0}
		skew := time.Duration(rng.IntN(80)-40) * time.Second
		if rng.IntN(4) == 0 {
			skew = -time.Duration(rng.IntN(11)) * time.Minute // its writes are old when they are born
		}
		client, err := s.cluster.Open(s.t.Context(), pairdb.WithIdempotency(store), pairdb.WithHooks(s),
			pairdb.WithTimeout(time.Duration(2+rng.IntN(30))*100*time.Millisecond),
			pairdb.WithNow(func() time.Time { return time.Now().Add(skew) }))
		require.NoError(s.t, err)
		store.kill = func() { // at once, with all that is under way
			now, cancel := context.WithCancel(context.Background())
			cancel()
			_ = client.Close(now)
		}
		if rng.IntN(2) == 0 { // at any time, half way through its merges too
			time.AfterFunc(time.Duration(rng.IntN(30_000))*time.Millisecond, store.kill)
		}
		for range 8 {
			s.call(s.t.Context(), client, s.requests[rng.IntN(len(s.requests))])
			if store.dead() {
				break
			}
			time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
			if rng.IntN(4) == 0 {
				time.Sleep(time.Duration(rng.IntN(8)) * time.Minute)
			}
		}
		store.kill()
		s.mu.Lock()
		s.counts.killed++
		s.mu.Unlock()
	}
}

func (s *onceSimulation) call(ctx context.Context, client *pairdb.Client, r *onceRequest) bool {
	receipt, err := r.write(ctx, client.Tenant(r.tenant))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.calls++
	switch {
	case err == nil:
		s.counts.acked++
		r.dots[receipt.Dot] = true
		if receipt.Duplicate {
			s.counts.duplicates++
		}
	case errors.Is(err, pairdb.ErrNotApplied):
		s.counts.notApplied++
	case errors.Is(err, pairdb.ErrUnknown):
		s.counts.unknown++
	}
	return err == nil
}

// OnIdempotency counts.
func (s *onceSimulation) OnIdempotency(e pairdb.Idempotency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.events[e.What]++
}

// finishOnce repeats every request until it succeeds, and compares.
func (s *onceSimulation) finishOnce() {
	client, err := s.cluster.Open(s.t.Context(), pairdb.WithIdempotency(s.store), pairdb.WithTimeout(time.Minute), pairdb.WithHooks(s))
	require.NoError(s.t, err)
	ready, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	require.NoError(s.t, client.Ready(ready), "seed %d", s.seed)
	time.Sleep(time.Minute) // the third node is there too, and clocks that were wrong are believed
	for _, r := range s.requests {
		for range 3 {
			require.True(s.t, s.call(s.t.Context(), client, r), "seed %d: %s %s", s.seed, r.key, r.token)
		}
	}
	time.Sleep(time.Minute)
	require.NoError(s.t, client.Close(context.Background()))
	want := map[string]map[vclock.Dot]string{}
	for _, r := range s.requests {
		key := r.tenant + "/" + r.key
		if want[key] == nil {
			want[key] = map[vclock.Dot]string{}
		}
		require.Len(s.t, r.dots, 1, "seed %d: %s, token %s has receipts of several dots\nfaults:\n%s", s.seed, key, r.token, strings.Join(s.faults, "\n"))
		for d := range r.dots {
			want[key][d] = r.value
		}
	}
	s.compare(want)
}

// compare holds what the nodes have seen and hold against the receipts.
func (s *onceSimulation) compare(want map[string]map[vclock.Dot]string) {
	for _, n := range s.cluster.Nodes() {
		for _, w := range n.Applied() {
			_, ok := want[w.Tenant+"/"+string(w.Key)][w.Dot]
			require.True(s.t, ok, "seed %d: %s took %v for %s, which is no receipt's\nfaults:\n%s",
				s.seed, n.ID(), w.Dot, w.Key, strings.Join(s.faults, "\n"))
		}
		for key, dots := range want {
			id, name, _ := strings.Cut(key, "/")
			state, _ := n.State(id, name)
			for _, sib := range state.Siblings {
				if !sib.Tombstone {
					require.Equal(s.t, dots[sib.Dot], string(sib.Value), "seed %d: %s", s.seed, key)
				}
			}
		}
	}
}

// mortalStore is the store as one process sees it, who dies at one of its steps.
type mortalStore struct {
	idempotency.Store
	torn bool // it dies after the step, else before
	kill func()

	mu  sync.Mutex
	die int // steps to go
}

var errDead = errors.New("the process is dead")

func (s *mortalStore) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.die < 0
}

// step does one step, unless the process dies with it.
func (s *mortalStore) step(do func()) error {
	s.mu.Lock()
	s.die--
	left := s.die
	s.mu.Unlock()
	if left >= 0 || left == -1 && s.torn {
		do()
	}
	if left < 0 {
		return fmt.Errorf("step %d: %w", left, errDead)
	}
	return nil
}

func (s *mortalStore) Lookup(ctx context.Context, k idempotency.Key) (rec idempotency.Record, found bool, err error) {
	if dead := s.step(func() { rec, found, err = s.Store.Lookup(ctx, k) }); dead != nil {
		return idempotency.Record{}, false, dead
	}
	return rec, found, err
}

func (s *mortalStore) Begin(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (rec idempotency.Record, mine bool, err error) {
	if dead := s.step(func() { rec, mine, err = s.Store.Begin(ctx, k, i, ttl) }); dead != nil {
		return idempotency.Record{}, false, dead
	}
	return rec, mine, err
}

func (s *mortalStore) Complete(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) (err error) {
	if dead := s.step(func() { err = s.Store.Complete(ctx, k, i, r, ttl) }); dead != nil {
		return dead
	}
	return err
}

func (s *mortalStore) Replace(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (rec idempotency.Record, mine bool, err error) {
	if dead := s.step(func() { rec, mine, err = s.Store.Replace(ctx, k, old, i, ttl) }); dead != nil {
		return idempotency.Record{}, false, dead
	}
	return rec, mine, err
}
