package tenant_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

// upFor is how long the store must have been up for no config past its TTL to be served: a load that met
// it down may have ended so much later, and for 30 s after that Gets do not wait.
const upFor = tenant.DefaultLoadTimeout + 30*time.Second

// A schedule changes tenants, asks for them, and takes the store down and up, at random in virtual
// time. Beside the cache it keeps what happened, and from that says what a Get may answer.
type schedule struct {
	t     *testing.T
	rand  *rand.Rand
	s     *script
	c     *tenant.Cache
	ids   []string
	down  func() // brings the store up again; nil while it is up
	up    time.Time
	since map[string][]time.Time // when each version was made, from 1
	gone  map[string]time.Time   // when it was deleted
	known map[string]uint64      // the highest version that was served
}

func TestAConfigIsNeverOlderThanItsTTLWhileTheStoreIsUpAndAKnownTenantIsAlwaysServed(t *testing.T) {
	for range 60 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			newSchedule(t, seed).run(600)
		})
	}
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := newScript()
	o := &schedule{
		t: t, rand: rand.New(rand.NewPCG(seed, 0)), s: s, c: newCache(t, s), up: time.Now(),
		since: make(map[string][]time.Time), gone: make(map[string]time.Time),
		known: make(map[string]uint64),
	}
	for i := range 6 {
		id := fmt.Sprintf("t%d", i)
		o.ids = append(o.ids, id)
		s.set(tenant.Config{ID: id, Replicas: 3, Version: 1})
		o.since[id] = []time.Time{time.Now()}
	}
	return o
}

func (o *schedule) run(steps int) {
	for range steps {
		id := o.ids[o.rand.IntN(len(o.ids))]
		switch p := o.rand.IntN(100); {
		case p < 10:
			o.bump(id)
		case p < 11:
			o.remove(id)
		case p < 14:
			o.toggle()
		case p < 30:
			o.pass(2 * time.Minute)
		default:
			o.pass(4 * time.Second)
			o.ask(id)
		}
	}
	if o.down != nil {
		o.down()
	}
}

// pass lets time pass, and less than most.
func (o *schedule) pass(most time.Duration) {
	time.Sleep(time.Duration(o.rand.Int64N(int64(most))))
	synctest.Wait()
}

func (o *schedule) bump(id string) {
	if _, gone := o.gone[id]; !gone {
		o.s.bump(id)
		o.since[id] = append(o.since[id], time.Now())
	}
}

func (o *schedule) remove(id string) {
	if _, gone := o.gone[id]; !gone {
		o.s.remove(id)
		o.gone[id] = time.Now()
	}
}

// toggle takes the store down, so that it fails or hangs, or brings it up.
func (o *schedule) toggle() {
	switch {
	case o.down != nil:
		o.down()
		o.down, o.up = nil, time.Now()
	case o.rand.IntN(2) == 0:
		o.s.fail(errDown)
		o.down = func() { o.s.fail(nil) }
	default:
		o.down = o.s.block()
	}
}

func (o *schedule) ask(id string) {
	start := time.Now()
	got, err := o.c.Get(o.t.Context(), id)
	took := time.Since(start)
	known, isKnown := o.known[id]
	gone, isGone := o.gone[id]
	up := o.down == nil && start.Sub(o.up) > upFor
	old := func(superseded time.Time) bool { return up && start.Sub(superseded) > ttl }
	switch {
	case err == nil:
		require.GreaterOrEqual(o.t, got.Version, known, "%s went back", id)
		require.False(o.t, isGone && old(gone), "%s was deleted %v ago", id, start.Sub(gone))
		if since := o.since[id]; got.Version < uint64(len(since)) {
			require.False(o.t, old(since[got.Version]), "%s: version %d is too old", id, got.Version)
		}
		if isKnown {
			require.LessOrEqual(o.t, took, 100*time.Millisecond)
		}
		o.known[id] = got.Version
	case errors.Is(err, tenant.ErrNotFound):
		require.True(o.t, isGone, "%s exists", id)
		delete(o.known, id)
	default:
		require.False(o.t, isKnown && !isGone, "%s is known and was refused: %v", id, err)
		require.NotNil(o.t, o.down, "the store is up: %v", err)
	}
}
