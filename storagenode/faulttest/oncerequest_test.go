//go:build unix

package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/devrev/pairdb"
)

// lastTenantID is the last-write-wins tenant; tenantID is causal.
const lastTenantID = "last"

// Kinds of requests.
const (
	put          = "put"
	putNoContext = "put no context"
	putAfter     = "put after"
	deleteKey    = "delete"
	update       = "update"
)

// A onceRequest is a write that all processes repeat, each time under the same idempotency key.
type onceRequest struct {
	ID      int
	Tenant  string
	Key     string
	Kind    string
	Over    *onceRequest         `json:"-"`         // what the key holds before; nil is nothing
	Context pairdb.CausalContext `json:",omitzero"` // of a put after
	At      time.Duration        // after the trial's begin: nobody makes it earlier
	Slow    bool                 // one process tries, and the others once the write window is over
}

// token is the request's idempotency key.
func (r *onceRequest) token() string { return fmt.Sprintf("r%d", r.ID) }

// do makes the request. The nonce names this very call: should two calls of one update have an effect, then
// its token stands in the value with two of them.
func (r *onceRequest) do(ctx context.Context, client *pairdb.Client, token, nonce string, level pairdb.Level) (pairdb.Receipt, error) {
	tenant, once := client.Tenant(r.Tenant), pairdb.WithIdempotencyKey(token)
	value := []byte(r.token())
	switch r.Kind {
	case put:
		return tenant.Put(ctx, r.Key, value, once, pairdb.AtLevel(level))
	case putNoContext:
		return tenant.Put(ctx, r.Key, value, once, pairdb.AtLevel(level), pairdb.NoContext())
	case putAfter:
		return tenant.Put(ctx, r.Key, value, once, pairdb.AtLevel(level), pairdb.After(r.Context))
	case deleteKey:
		return tenant.Delete(ctx, r.Key, once, pairdb.AtLevel(level))
	default:
		return tenant.Update(ctx, r.Key, func(o pairdb.Object) ([]byte, error) {
			return fmt.Appendf(slices.Clone(o.Value), " %s@%s", r.token(), nonce), nil
		}, once, pairdb.AtLevel(level), pairdb.ResolveWith(allWords))
	}
}

// allWords merges siblings: the words that stand in any of them.
func allWords(_ string, live []pairdb.Sibling) ([]byte, error) {
	var words []string
	for i := range live {
		words = append(words, strings.Fields(string(live[i].Value))...)
	}
	slices.Sort(words)
	return []byte(strings.Join(slices.Compact(words), " ")), nil
}

// counter begins the names of keys that are only updated.
const counter = "counter"

var (
	causalKinds  = []string{put, putNoContext, putAfter, deleteKey, update}
	sharedKinds  = []string{put, putNoContext, deleteKey, update}
	lastKinds    = []string{put, deleteKey, update}
	counterKinds = []string{update}
)

// onceRequests makes n requests, spread over d: six in ten have a key that no other one writes, or
// one that overwrites; the others share theirs. What they overwrite comes with them, and is a put.
func onceRequests(rng *rand.Rand, n int, d time.Duration) []*onceRequest {
	var list []*onceRequest
	add := func(tenant, key string, kinds []string, over *onceRequest) *onceRequest {
		r := &onceRequest{ID: len(list), Tenant: tenant, Key: key, Kind: kinds[rng.IntN(len(kinds))], Over: over}
		r.At = time.Duration(rng.Int64N(int64(max(d-slowTime, d/2)))) // so that the last grow too old as well
		r.Slow = rng.IntN(2) == 0
		list = append(list, r)
		return r
	}
	for len(list) < n {
		own, shared := fmt.Sprintf("own-%d", len(list)), rng.IntN(4)
		switch p := rng.IntN(100); {
		case p < 30:
			r := add(tenantID, own, causalKinds, nil)
			for r.Kind == putAfter {
				r.Kind = causalKinds[rng.IntN(len(causalKinds))]
			}
		case p < 45:
			add(tenantID, own, []string{putAfter, deleteKey, update}, add(tenantID, own, []string{put}, nil))
		case p < 60:
			add(lastTenantID, own, lastKinds, nil)
		case p < 73:
			add(tenantID, fmt.Sprintf("%s-%d", counter, shared), counterKinds, nil)
		case p < 88:
			add(tenantID, fmt.Sprintf("mixed-%d", shared), sharedKinds, nil)
		case p < 94:
			add(lastTenantID, fmt.Sprintf("%s-%d", counter, shared), counterKinds, nil)
		default:
			add(lastTenantID, fmt.Sprintf("mixed-%d", shared), lastKinds, nil)
		}
	}
	for _, r := range list {
		if r.Over != nil {
			r.Over.At, r.Over.Slow = 0, false // the parent makes them before all others
		}
	}
	return list
}
