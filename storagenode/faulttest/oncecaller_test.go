//go:build unix

package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

// Outcomes of a call, as notes.
const (
	acknowledged = "acknowledged"
	notApplied   = "not applied"
	unknown      = "unknown"
	broken       = "broken" // neither: a fault of the library's, or of the test's
	died         = "died"
)

// A note is a line in a caller's file: a call that returned, an event of an idempotency key, or a death.
type note struct {
	What       string // an outcome, or an IdempotencyEvent's name
	Request    int
	Dot        vclock.Dot
	Duplicate  bool
	Superseded bool
	Detail     string // of what is broken; the step of a death
}

// A onceCaller makes requests and notes what it is told. Any goroutine may use it.
type onceCaller struct {
	client      *pairdb.Client
	file        *os.File // appended to by one system call for each note, so that a killed process leaves whole lines
	name        string   // of this process, as no other's
	freshTokens bool     // breaks the protocol: each call has a token of its own
	calls       atomic.Int64
}

func newOnceCaller(name, file string) (*onceCaller, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &onceCaller{name: name, file: f}, err
}

// onceOptions are what every client of the trial is opened with.
func (c *onceCaller) onceOptions(store idempotency.Store) ([]pairdb.Option, error) {
	tenants, err := tenant.Static(tenant.Config{ID: tenantID}, tenant.Config{ID: lastTenantID, Policy: pairdb.LastWriteWins})
	return []pairdb.Option{pairdb.WithTenants(tenants), pairdb.WithIdempotency(store), pairdb.WithHooks(c)}, err
}

func newStore(addr string) (*redis.Store, *goredis.Client, error) {
	client := goredis.NewClient(&goredis.Options{Addr: addr, ContextTimeoutEnabled: true, DialerRetries: 1})
	store, err := redis.New(client)
	return store, client, err
}

// call makes a request and reports whether it succeeded.
func (c *onceCaller) call(ctx context.Context, r *onceRequest, level pairdb.Level) bool {
	nonce := fmt.Sprintf("%s.%d", c.name, c.calls.Add(1))
	token := r.token()
	if c.freshTokens {
		token += nonce
	}
	receipt, err := r.do(ctx, c.client, token, nonce, level)
	n := note{What: acknowledged, Request: r.ID, Dot: receipt.Dot, Duplicate: receipt.Duplicate, Superseded: receipt.Superseded}
	switch {
	case err == nil:
	case errors.Is(err, pairdb.ErrNotApplied) == errors.Is(err, pairdb.ErrUnknown), errors.Is(err, pairdb.ErrIdempotencyConflict),
		errors.Is(err, pairdb.ErrInvalid):
		n.What, n.Detail = broken, err.Error()
	case errors.Is(err, pairdb.ErrNotApplied):
		n.What, n.Detail = notApplied, err.Error()
	default:
		n.What, n.Detail = unknown, err.Error()
	}
	c.note(n)
	return err == nil
}

// OnIdempotency implements pairdb.HookIdempotency.
func (c *onceCaller) OnIdempotency(e pairdb.Idempotency) { c.note(note{What: e.What.String()}) }

func (c *onceCaller) note(n note) {
	line, err := json.Marshal(n)
	if err == nil {
		_, err = c.file.Write(append(line, '\n'))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "note:", err)
	}
}

// slowTime is how long all but one process keep away from a slow request: until an intent that the one
// left behind is too old for the nodes.
const slowTime = onceWindow + 1500*time.Millisecond

// A chooser picks requests for the process of a slot.
type chooser struct {
	requests    []*onceRequest
	slot, slots int
	born        time.Duration // of the process, after the trial's begin
}

// choose picks one that may be made so long after the trial's begin: often one of the latest,
// else any. It is nil now and then.
func (c *chooser) choose(rng *rand.Rand, since time.Duration) *onceRequest {
	latest := since - time.Second
	for range 50 {
		r := c.requests[rng.IntN(len(c.requests))]
		switch {
		case since < r.At:
		case r.Slow && since < r.At+slowTime && !(c.mayBegin(r) && since < r.At+slowTime/8):
		case r.At < latest && rng.IntN(8) != 0:
		default:
			return r
		}
	}
	return nil
}

// mayBegin reports whether this is the process that tries a slow request: not one that came in the place of a
// process that died of it.
func (c *chooser) mayBegin(r *onceRequest) bool { return r.ID%c.slots == c.slot && c.born <= r.At }
