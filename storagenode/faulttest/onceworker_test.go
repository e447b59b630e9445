//go:build unix

package faulttest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/topology"
)

const (
	// workerVariable names the environment variable that makes the test's program a worker: the file of its
	// orders.
	workerVariable = "PAIRDB_FAULT_WORKER"

	workerCallers = 2
	workerReady   = 3 * time.Second // with nodes down there may be no quorum
)

// orders are what a worker is told.
type orders struct {
	Name        string // as no other worker's
	Slot, Slots int
	Seed        uint64
	Begun       time.Time // of the trial
	Life        time.Duration
	Doom        doom
	FreshTokens bool

	Redis    string
	Topology topology.Topology
	Requests []*onceRequest
	Notes    string // the file
}

// beWorker repeats requests until it is dead. What it returns is the exit code of one that could
// not begin.
func beWorker(file string) int {
	if err := obey(file); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return 0
}

func obey(file string) error {
	text, err := os.ReadFile(file) //nolint:gosec // the parent's
	if err != nil {
		return err
	}
	var o orders
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	c, err := newOnceCaller(o.Name, o.Notes)
	if err != nil {
		return err
	}
	c.freshTokens = o.FreshTokens
	var once sync.Once
	die := func(step string) {
		once.Do(func() {
			c.note(note{What: died, Detail: step})
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // there is nothing to do about an error
		})
		select {} // the signal is on its way
	}
	time.AfterFunc(o.Life, func() { die(anyMoment) })
	m := newMortal(o.Doom, func() { die(o.Doom.Step) })
	goredis.SetLogger(quiet{}) // the parent takes what is said for a fault
	store, _, err := newStore(o.Redis)
	if err != nil {
		return err
	}
	slow := map[string]bool{}
	for _, r := range o.Requests {
		slow[r.token()] = r.Slow
	}
	options, err := c.onceOptions(&mortalStore{store, m, slow})
	if err != nil {
		return err
	}
	options = append(options, pairdb.WithDialer(m.dial))
	if c.client, err = pairdb.Open(context.Background(), topology.Static(o.Topology), options...); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(context.Background(), workerReady)
	_ = c.client.Ready(ready) // if not, its calls fail
	cancel()
	choices := &chooser{requests: o.Requests, slot: o.Slot, slots: o.Slots, born: time.Since(o.Begun)}
	for i := range workerCallers - 1 {
		go o.repeat(c, choices, uint64(i))
	}
	o.repeat(c, choices, workerCallers)
	return nil
}

// repeat makes calls for ever.
func (o *orders) repeat(c *onceCaller, choices *chooser, stream uint64) {
	rng := rand.New(rand.NewPCG(o.Seed, stream)) //nolint:gosec // a schedule, not a secret
	for range time.Tick(pace) {
		r := choices.choose(rng, time.Since(o.Begun))
		if r == nil {
			continue
		}
		level := pairdb.Quorum
		if rng.IntN(8) == 0 {
			level = pairdb.All
		}
		limit := time.Duration(100+rng.IntN(2000)) * time.Millisecond
		if rng.IntN(12) == 0 {
			limit = time.Duration(rng.IntN(6000)) * time.Microsecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		c.call(ctx, r, level)
		cancel()
	}
}

// quiet is a logger of go-redis's that drops what it is told: connections break all the time here.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
