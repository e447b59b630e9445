package pairdb_test

import (
	"context"
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
	"github.com/devrev/pairdb/internal/history"
	"github.com/devrev/pairdb/pairdbtest"
)

// simSeeds is how many seeds a plain run tries; PAIRDB_SIM_SEEDS=n asks for others, and
// PAIRDB_SIM_SEED=n for just that one.
const simSeeds = 300

// TestPromisesHoldInSeededRunsOfTheWholeClient runs the real client over real nodes in
// virtual time, with faults, and checks what everybody saw: P2, P3, P4, P6, P8, P9.
func TestPromisesHoldInSeededRunsOfTheWholeClient(t *testing.T) {
	from, to := 1, simSeeds
	if testing.Short() {
		to = 60
	}
	if n, err := strconv.Atoi(os.Getenv("PAIRDB_SIM_SEEDS")); err == nil {
		to = n
	}
	if n, err := strconv.Atoi(os.Getenv("PAIRDB_SIM_SEED")); err == nil {
		from, to = n, n
	}
	var total history.Counts
	for seed := from; seed <= to; seed++ {
		synctest.Test(t, func(t *testing.T) {
			s := newSimulation(t, uint64(seed))
			s.run()
			n := s.log.Counts()
			total.Writes += n.Writes
			total.Acked += n.Acked
			total.NotApplied += n.NotApplied
			total.Unknown += n.Unknown
			total.Reads += n.Reads
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d seeds: %d writes (%d acknowledged, %d not applied, %d unknown), %d reads checked",
		to-from+1, total.Writes, total.Acked, total.NotApplied, total.Unknown, total.Reads)
	require.NotZero(t, total.Acked)
}

// A simulation is one seed's run.
type simulation struct {
	t       *testing.T
	seed    uint64
	rand    *rand.Rand // of the faults
	cluster *pairdbtest.Cluster
	log     history.Log
	keys    []string

	mu     sync.Mutex
	faults []string // what was done to whom, and when
	start  time.Time
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{
		t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), start: time.Now(),
		cluster: pairdbtest.New(t, 3, pairdbtest.Seed(seed)),
	}
	for i := range 1 + s.rand.IntN(4) {
		s.keys = append(s.keys, "key"+strconv.Itoa(i))
	}
	return s
}

func (s *simulation) run() {
	ctx, stopFaults := context.WithCancel(s.t.Context())
	var workers, nemesis sync.WaitGroup
	nemesis.Go(func() { s.nemesis(ctx) })
	for c := range 2 {
		workers.Go(func() { s.coordinator(c) })
	}
	workers.Wait()
	stopFaults()
	nemesis.Wait()
	s.heal()
	s.finish()
}

// coordinator is one process: it runs workers on a client, and is restarted half way, sometimes
// without waiting for its tails.
func (s *simulation) coordinator(c int) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(10+c)))
	for life := range 2 {
		// A small memory, so that actors' generations change.
		client, err := s.cluster.Open(s.t.Context(),
			pairdb.WithTimeout(time.Duration(1+rng.IntN(20))*100*time.Millisecond), pairdb.WithLimits(pairdb.Limits{KeyMemory: 16}))
		require.NoError(s.t, err)
		var workers sync.WaitGroup
		for w := range 2 {
			worker := s.worker(client, fmt.Sprintf("c%d.%d/w%d", c, life, w), rng.Uint64())
			workers.Go(func() {
				for range 12 + worker.Rand.IntN(12) {
					worker.Step(s.t.Context())
					time.Sleep(time.Duration(worker.Rand.IntN(300)) * time.Millisecond)
				}
			})
		}
		workers.Wait()
		closing, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(2))*20*time.Second)
		_ = client.Close(closing) // cut where the time was none
		cancel()
	}
}

func (s *simulation) worker(client *pairdb.Client, name string, seed uint64) *history.Worker {
	return &history.Worker{
		Name: name, Tenant: client.Tenant("t"), Scope: pairdbtest.ClusterName,
		Log: &s.log, Rand: rand.New(rand.NewPCG(seed, 2)), Keys: s.keys,
	}
}

// nemesis harms one node at a time, mostly.
func (s *simulation) nemesis(ctx context.Context) {
	for ctx.Err() == nil {
		s.pause(ctx, 1500)
		node := s.cluster.Node(s.rand.IntN(3))
		what, heal := s.harm(node)
		s.note(string(node.ID()) + ": " + what)
		if s.rand.IntN(2) == 0 { // two at once: calls may fail, nothing may be lost
			other := s.cluster.Node(s.rand.IntN(3))
			more, healOther := s.harm(other)
			s.note(string(other.ID()) + ": " + more + " too")
			s.pause(ctx, 3000)
			healOther()
		}
		s.pause(ctx, 6000)
		heal()
		s.note(string(node.ID()) + ": healed")
	}
}

func (s *simulation) harm(n *pairdbtest.Node) (what string, heal func()) {
	when := pairdbtest.When(s.rand.IntN(2))
	nth := 1 + s.rand.IntN(10)
	switch s.rand.IntN(9) {
	case 0:
		n.Stop()
		return "stopped", n.Start
	case 1:
		n.Cut(pairdbtest.ToNode)
		return "requests cut", n.Heal
	case 2:
		n.Cut(pairdbtest.FromNode)
		return "answers cut", n.Heal
	case 3:
		n.Cut(pairdbtest.Both)
		return "cut off", n.Heal
	case 4:
		n.Freeze()
		return "frozen", n.Thaw
	case 5:
		n.Delay(time.Duration(s.rand.IntN(400)) * time.Millisecond)
		return "slowed", func() { n.Delay(0) }
	case 6:
		n.Skew(time.Duration(s.rand.IntN(60)-30) * time.Second)
		return "skewed", func() { n.Skew(0) }
	case 7:
		n.FailWrite(nth, when)
		return fmt.Sprintf("write %d breaks the connection (when %d)", nth, when), func() {}
	default:
		n.LoseWrite(nth, when)
		return fmt.Sprintf("answer of write %d lost (when %d)", nth, when), func() {}
	}
}

func (s *simulation) pause(ctx context.Context, most int) {
	timer := time.NewTimer(time.Duration(s.rand.IntN(most)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (s *simulation) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf("%v %s", time.Since(s.start).Round(time.Millisecond), what))
}

func (s *simulation) heal() {
	s.cluster.Heal()
	for _, n := range s.cluster.Nodes() {
		if !n.Running() {
			n.Start()
		}
	}
}

// finish reads everything twice, through a client that knows nothing, and checks.
func (s *simulation) finish() {
	client, err := s.cluster.Open(s.t.Context(), pairdb.WithTimeout(time.Minute))
	require.NoError(s.t, err)
	ready, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	require.NoError(s.t, client.Ready(ready), "seed %d", s.seed)
	reader := s.worker(client, "final", 3)
	require.NoError(s.t, reader.GetAll(s.t.Context()), "seed %d", s.seed)
	time.Sleep(time.Minute) // tails and repairs end
	reader.Level = pairdb.All
	require.NoError(s.t, reader.GetAll(s.t.Context()), "seed %d", s.seed)
	require.NoError(s.t, client.Close(context.Background()))
	broken := s.log.Check()
	for _, v := range broken {
		s.t.Errorf("seed %d: %v\n%s\nfaults:\n%s", s.seed, v, s.log.Of(v.Key), strings.Join(s.faults, "\n"))
		break
	}
}
